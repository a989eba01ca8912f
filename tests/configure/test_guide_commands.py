"""A guide prints no command that the verify step did not run: every page, whatever came of its commands. That verify runs them is
test_machines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tools.pipeline import verify
from tools.pipeline.guide import write_guide
from tools.rules.words import guiding
from tools.rules.words.guiding import Ran
from tools.values.run import MachineReceipt

from .guests import commands_in, context_for, receipt_of

OUTCOMES = ("answered", guiding.NOT_RUN, guiding.EMULATED)


def guide_of(capability: str, run_folder: Path, outcomes: tuple[str, ...], memory_mib: int = 2048) -> tuple[str, tuple[Ran, ...]]:
    """The guide where the commands ended as `outcomes` say, in turn."""
    context = context_for(capability, run_folder, "dial %h %p", ("m-01", "10.20.0.31"))
    machines = tuple(machine.model_copy(update={"memory_mib": memory_mib}) for machine in context.part.machines)
    part = context.part.model_copy(update={"machines": machines})
    context = replace(context, part=part, machines=(MachineReceipt(name="m-01", address="10.20.0.31", host_key_sha256="SHA256:x"),))
    ran = tuple(
        Ran(
            purpose=command.purpose,
            printed=guiding.printed(guiding.filled(command, str(run_folder), {"m-01": "10.20.0.31"}, 15432)),
            machine="m-01",
            outcome=outcomes[number % len(outcomes)],
            answer="fine",
        )
        for number, command in enumerate(context.part.commands)
    )
    (context.part_folder / verify.FILE).write_text(json.dumps([one.model_dump() for one in ran]))
    return write_guide(context, receipt_of(context)).read_text(), ran


@pytest.mark.parametrize("capability", ["postgresql", "web_server", "dev_environment", "virtual_machine"])
@pytest.mark.parametrize("outcomes", [("answered",), (guiding.NOT_RUN,), (guiding.EMULATED,), OUTCOMES, OUTCOMES[::-1]])
def test_what_was_not_run_is_not_printed(capability: str, outcomes: tuple[str, ...], tmp_path: Path) -> None:
    text, ran = guide_of(capability, tmp_path, outcomes)
    assert commands_in(text) == sorted(one.printed for one in ran if one.outcome != guiding.NOT_RUN)
    for one in ran:
        assert (f"- {one.sentence}\n" in text) == (one.outcome == guiding.NOT_RUN)
    # What only an emulated guest was spared says so beside each.
    assert text.count("Not verified: emulated guest.") == len([one for one in ran if one.outcome == guiding.EMULATED])
    assert text.count("It was run at ") == len([one for one in ran if one.outcome == "answered"])
    # How it begins is read alone, in a chat: of its commands it has the way to log in.
    [login] = [one for one in ran if one.purpose == guiding.LOG_IN]
    begins = guiding.opening(text)
    assert commands_in(begins) == [login.printed] * (login.outcome != guiding.NOT_RUN)
    assert (f"`{login.printed}` (not verified)" in begins) == (login.outcome == guiding.EMULATED)


def test_a_part_that_was_not_verified_yet_prints_no_command(tmp_path: Path) -> None:
    context = context_for("virtual_machine", tmp_path, "", ("m-01", "10.20.0.31"))
    context = replace(context, machines=(MachineReceipt(name="m-01", address="10.20.0.31", host_key_sha256="SHA256:x"),))
    text = write_guide(context, receipt_of(context)).read_text()
    assert commands_in(text) == []
    assert "The run's ssh_config, named at the end" in text


@pytest.mark.parametrize(("memory_mib", "twice"), [(512, "1 GiB"), (256, "512 MiB"), (768, "1.5 GiB"), (2048, "4 GiB")])
def test_a_guide_proposes_twice_the_memory_whatever_the_machine_has(memory_mib: int, twice: str, tmp_path: Path) -> None:
    text, _ = guide_of("virtual_machine", tmp_path, OUTCOMES, memory_mib)
    assert f"`make it {twice} of memory`" in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a `ssh ops@10.0.0.1` b", ["ssh ops@10.0.0.1"]),
        ("```sh\nssh a\n```\nand\n````sh\necho ```\n````", ["echo ```", "ssh a"]),
        ("say `make it 4 cores`, see `ssh_config`\n```\ncurl\n```", []),
    ],
)
def test_commands_are_found_wherever_they_stand(text: str, found: list[str]) -> None:
    assert commands_in(text) == found
