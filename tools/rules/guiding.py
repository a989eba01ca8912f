"""What a guide says, and the commands every machine's guide has. Pure: templates are text handed in, and nothing is run or read here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jinja2 import DictLoader, Environment, StrictUndefined

from tools.values.manifest import Command
from tools.values.value import Json, Value

ANSWER_LINES_MAX = 24
ANSWER_CHARACTERS_MAX = 1200
NOT_RUN = "not run"
EMULATED = "emulated guest"


class Ran(Value):
    """A command of the guide, filled in, and what came of it."""

    purpose: str
    printed: str
    """As it can be pasted into a shell."""
    machine: str = ""
    outcome: str = "answered"
    """`answered`, `not run` or `emulated guest`."""
    at: str = ""
    answer: str = ""
    shown: str = ""
    """The line of the answer that tells."""

    @property
    def sentence(self) -> str:
        where = f"{self.machine}: " if self.machine else ""
        if self.outcome == "answered":
            told = f" It answered: {self.shown}" if self.shown else ""
            return f"{where}{self.purpose}.{told}"
        reason = "not verified: emulated guest" if self.outcome == EMULATED else "not run here"
        return f"{where}{self.purpose}: {reason}."


def filled(command: Command, run: str, addresses: Mapping[str, str]) -> tuple[str, ...]:
    """The command with the run folder, the machine and its address in place of `{run}`, `{machine}` and `{address}`."""
    values = {"{run}": run, "{machine}": command.machine, "{address}": addresses.get(command.machine, "")}
    return tuple(re.sub(r"\{(?:run|machine|address)\}", lambda found: values[found[0]], word) for word in command.argv)


def on_machine(machine: str, purpose: str, remote: str, expect: str) -> Command:
    """A command that the machine's own shell runs, over SSH."""
    return Command(purpose=purpose, argv=("ssh", "-F", "{run}/ssh_config", "{machine}", remote), machine=machine, expect=expect)


def common(machine: str) -> tuple[Command, ...]:
    """What can be asked of every machine."""
    return (
        on_machine(machine, "Log in and ask the machine for its name", "hostname", expect=machine),
        on_machine(
            machine,
            "Read its figures from node_exporter",
            "curl --silent --show-error --fail http://{address}:9100/metrics | grep ^node_exporter_build_info",
            expect="node_exporter_build_info",
        ),
    )


def line_with(text: str, wanted: str, characters_max: int = 160) -> str:
    """The first line with the text that was expected, or with the first line of it; else the first that says something."""
    lines = _clean(text)
    spoken = [line for line in lines if re.search(r"\w", line)]
    first = next(iter(wanted.strip().splitlines()), "")
    line = next((line for line in spoken if first and first in line), next(iter(spoken), "")).strip()
    return line if len(line) <= characters_max else line[: characters_max - 1] + "…"


def answer_of(output: str) -> str:
    """As much of an output as a guide shows, without control characters."""
    lines = _clean(output.strip("\n"))
    short = "\n".join(lines[:ANSWER_LINES_MAX])[:ANSWER_CHARACTERS_MAX]
    return short if short == "\n".join(lines) else f"{short}\n…"


def _clean(text: str) -> list[str]:
    return ["".join(sign for sign in line.expandtabs() if sign.isprintable()).rstrip() for line in text.splitlines()]


def fenced(text: str, language: str = "") -> str:
    """A block of code whose fence is longer than any in it, so that no answer of a machine can end it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def render(page: str, shared: Mapping[str, str], facts: Mapping[str, Json]) -> str:
    """A guide's text. `shared` are templates by name that the page may extend or include; an unknown name in any is an error."""
    environment = Environment(
        loader=DictLoader({**shared, "page": page}),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML; what is not ours stands in fences.
        autoescape=False,  # noqa: S701
    )
    environment.filters["fenced"] = fenced
    text = environment.get_template("page").render(dict(facts))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def joined(guides: Sequence[str]) -> str:
    """The run's guide: one guide for each part."""
    return "\n\n".join(guide.strip() for guide in guides) + "\n"
