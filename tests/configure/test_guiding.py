"""What a guide says, as tables: placeholders, fences, and templates that may not speak of what nobody told them."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from tools.rules.databases.settings import shown as as_shown
from tools.rules.words import guiding, rendering
from tools.rules.words.guiding import Ran
from tools.values.manifest import Command
from tools.values.requirements import Field, Origin

from .guests import OPERATOR_FINGERPRINT, OPERATOR_KEY, commands_of, part_of


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("ssh", "-F", "{run}/ssh_config", "{machine}"), ("ssh", "-F", "/r {address}/ssh_config", "db-01")),
        (("curl", "http://{address}/"), ("curl", "http://10.0.0.1/")),
        (("echo", "{other}", "{}", "{{run}}"), ("echo", "{other}", "{}", "{/r {address}}")),
    ],
)
def test_placeholders_are_filled_once_and_nothing_else_is(argv: tuple[str, ...], expected: tuple[str, ...]) -> None:
    command = Command(purpose="p", argv=argv, machine="db-01")
    assert guiding.filled(command, "/r {address}", {"db-01": "10.0.0.1"}) == expected


def test_a_line_for_the_shell_has_its_values_quoted_and_is_printed_as_it_is_run() -> None:
    line = "ssh -F {run}/ssh_config -L {port}:localhost:80 {machine} && curl http://127.0.0.1:{port}/"
    command = Command(purpose="p", argv=("sh", "-c", line), machine="db-01")
    argv = guiding.filled(command, "/a 100% {port} run", {"db-01": "10.0.0.1"}, 15432)
    wanted = "ssh -F '/a 100% {port} run'/ssh_config -L 15432:localhost:80 db-01 && curl http://127.0.0.1:15432/"
    assert argv == ("sh", "-c", wanted)
    assert guiding.printed(argv) == wanted
    assert guiding.printed(("echo", "a b")) == "echo 'a b'"


@pytest.mark.parametrize(
    ("key", "expected"),
    [(OPERATOR_KEY, OPERATOR_FINGERPRINT), ("ssh-ed25519", ""), ("ssh-ed25519 %%% x", ""), ("", "")],
)
def test_a_key_is_known_by_the_fingerprint_that_ssh_keygen_prints(key: str, expected: str) -> None:
    assert guiding.fingerprint(key) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", "```\nplain\n```"), ("a ``` b", "````\na ``` b\n````"), ("`````", "``````\n`````\n``````")],
)
def test_no_answer_ends_its_fence(text: str, expected: str) -> None:
    assert rendering.fenced(text) == expected


@pytest.mark.parametrize(
    ("text", "wanted", "line"),
    [
        (" version\n---\n PostgreSQL 15\n", "PostgreSQL", "PostgreSQL 15"),
        ("\n---\nsecond\n", "third", "second"),
        ("", "x", ""),
        ("first|1\nsecond|2\n", "second|2\nthird|3", "second|2"),
        ("a\x1b[31mb\n", "a", "a[31mb"),
        ("x" * 300, "x", "x" * 159 + "…"),
    ],
)
def test_the_line_that_tells(text: str, wanted: str, line: str) -> None:
    assert guiding.line_with(text, wanted) == line


def test_a_long_answer_is_cut_and_says_so() -> None:
    answer = guiding.answer_of("\n".join(str(n) for n in range(100)))
    assert answer.splitlines()[-1] == "…"
    assert len(answer.splitlines()) == guiding.ANSWER_LINES_MAX + 1
    assert guiding.answer_of("two\nlines\n") == "two\nlines"


def test_an_unknown_name_in_a_template_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        guiding.render("{{ nobody }}", {}, {})


def test_what_a_value_says_is_not_a_template() -> None:
    assert guiding.render("{{ a }}", {}, {"a": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}\n"


@pytest.mark.parametrize(
    ("ran", "sentence"),
    [
        (Ran(purpose="Ask", printed="x", machine="db-01", answer="a", shown="a"), "db-01: Ask. It answered: a"),
        (Ran(purpose="Ask", printed="x", outcome=guiding.NOT_RUN), "Ask: not run here."),
        (Ran(purpose="Ask", printed="x", outcome=guiding.NOT_RUN, why="it was late"), "Ask: it was late."),
        (Ran(purpose="Ask", printed="x", machine="db-01", outcome=guiding.EMULATED), "db-01: Ask: not verified: emulated guest."),
    ],
)
def test_sentences(ran: Ran, sentence: str) -> None:
    assert ran.sentence == sentence


@pytest.mark.parametrize("capability", ["postgresql", "web_server", "dev_environment", "virtual_machine"])
def test_commands_are_about_every_machine_and_can_be_read(capability: str) -> None:
    asked = Field(name="packages", value=("git", "nodejs"), origin=Origin.SAID)
    part = part_of(capability)
    part = part.model_copy(update={"needs": part.needs.model_copy(update={"fields": (*part.needs.fields, asked)})})
    machines = [part.machines[0].model_copy(update={"name": name}) for name in ("m-01", "m-02")]
    commands = [command for machine in machines for command in commands_of(machine, part)]
    assert {command.machine for command in commands} == {"m-01", "m-02"}
    for command in commands:
        assert command.runs_here
        # These two end well or do not; they are there to be typed.
        assert command.expect or command.purpose in (guiding.LOG_IN, "Work in the database, on the machine")
        printed = guiding.printed(guiding.filled(command, "/runs/1", {"m-01": "10.0.0.1", "m-02": "10.0.0.2"}, 15432))
        assert "'\"'\"'" not in printed or capability == "dev_environment"
        assert "{" not in printed.replace("{ return 0; }", "")


@pytest.mark.parametrize(
    ("setting", "value", "shown"),
    [
        ("max_connections", "103", "103"),
        ("shared_buffers", "512MB", "512MB"),
        ("wal_buffers", "1966kB", "1968kB"),
        ("wal_buffers", "7864kB", "7864kB"),
        ("work_mem", "5041kB", "5041kB"),
    ],
)
def test_settings_are_expected_as_postgresql_shows_them(setting: str, value: str, shown: str) -> None:
    assert as_shown(setting, value) == shown
