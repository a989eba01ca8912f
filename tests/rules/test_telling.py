"""Texts are templates: what is in a value cannot break out of its place, a gap is an error, and nothing is loaded before it is needed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.resources import files

import pytest
from clusters import four_nodes
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from tools.rules.words import rendering, telling
from tools.rules.words.rendering import draw
from tools.values.conversation import Phase
from tools.values.effects import Tell
from tools.values.requirements import Field, Missing, Needs, Origin, Requirements
from tools.values.run import Run, StepRecord

TEXTS = files("tools.rules.words").joinpath("texts")


def _run(**changed: str) -> Run:
    step = StepRecord(part="db", name="apply", status="failed", **{"summary": "It failed.", **changed})
    return Run(id="run-1", plan_digest="0" * 64, status="stopped", steps=(step,))


@given(st.text())
def test_whatever_a_name_holds_a_row_stays_one_row(name: str) -> None:
    line = rendering.row("a", name, "b")
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 4
    assert not re.search(r"[\r\n]", line)


@given(st.text())
def test_whatever_a_name_holds_a_label_of_a_picture_stays_one(name: str) -> None:
    assert not re.search(r"[\"\[\]{}<>`;|\r\n]", rendering.mermaid(name))


def test_a_table_of_a_run_has_a_row_a_step_whatever_the_step_says() -> None:
    lines = draw(telling.run(_run(summary="two\nlines | <b>`"))).splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")] == [5, 5, 5]


def test_a_text_of_a_template_that_is_handed_too_little_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendering.text("run.removed")


def test_what_a_value_says_is_never_taken_for_a_template() -> None:
    assert "{{ 7 * 7 }}" in draw(telling.stopped(_run(summary="{{ 7 * 7 }}")))


def test_every_sentence_that_is_told_is_among_the_labels() -> None:
    told = [one for one in vars(telling).values() if isinstance(one, Tell)]
    assert len(told) > 10 and all(draw(one) for one in told)


def test_an_empty_remedy_leaves_no_gap() -> None:
    assert "- db, apply: It failed.\n" in draw(telling.stopped(_run()))


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_a_sentence(phase: Phase) -> None:
    assert draw(telling.status(phase, None)).endswith(".")


def test_questions_say_what_is_known_only_when_something_is() -> None:
    said = Field(name="cpu_count", value=4, unit="vCPU", origin=Origin.SAID, words="4 cores")
    known = draw(
        telling.questions(Requirements(requester="me", parts=(Needs(capability="x", label="x", platform="proxmox", fields=(said,)),)), ())
    )
    assert "4 vCPU" in known
    assert "So far" not in draw(
        telling.questions(Requirements(requester="me", parts=(Needs(capability="x", label="x", platform="proxmox"),)), ())
    )


def test_what_is_known_and_what_is_asked_of_several_names_each() -> None:
    sized = Field(name="users", value=5, unit="", origin=Origin.SAID, words="5 users")
    size = Missing(name="data_size", question="How much?")
    parts = (
        Needs(capability="postgresql", label="db", platform="proxmox", fields=(sized,)),
        Needs(capability="redis", label="cache", platform="proxmox", missing=(size,)),
    )
    needed = Requirements(requester="me", parts=parts)
    assert re.findall(r"So far: (.*)\.", draw(telling.questions(needed, ())))[0].split("; ") == ["db: users 5", "cache"]
    for said in (telling.questions(needed, ()), telling.too_little_known(needed)):
        assert "- **cache**: How much?" in draw(said)


def test_a_snapshot_is_told_in_one_line_when_everything_was_seen() -> None:
    assert len(draw(telling.snapshot(four_nodes())).splitlines()) == 1


def test_every_text_of_every_file_compiles_and_every_label_it_names_is_there() -> None:
    labels = tomllib.loads(TEXTS.joinpath("labels.toml").read_text())
    for file in TEXTS.iterdir():
        if file.name.endswith(".j2"):
            rendering.own().get_template(file.name)
            assert set(re.findall(r"label\.(\w+)", file.read_text())) <= set(labels)
            macros = re.findall(r"{% macro (\w+)", file.read_text())
            assert len(set(macros)) == len(macros), f"{file.name}: the second of one name would take the place of the first"


def test_jinja_is_not_loaded_before_the_first_text_that_needs_it() -> None:
    program = (
        "import sys; from tools.rules.words import guiding, rendering, telling; telling.NO_PLAN; early = 'jinja2' in sys.modules;"
        "rendering.draw(telling.refinement_dropped(1)); sys.exit(early or 'jinja2' not in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_request_for_a_machine_loads_nothing_of_azure() -> None:
    program = "import sys; import tools.pipeline.talk, tools.pipeline.drafting; sys.exit('azure.identity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
