"""What a guide says, and the commands every machine's guide has. Pure: templates are text handed in, and nothing is run or read here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence

from tools.rules.words.rendering import environment, tidy
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Endpoint
from tools.values.value import Json, Value

ANSWER_LINES_MAX = 24
ANSWER_CHARACTERS_MAX = 1200
NOT_RUN = "not run"
EMULATED = "emulated guest"
LOG_IN = "Log in"
TUNNEL_SECONDS = 10
"""How long a forwarded port waits for its first connection; it closes when the last one has ended."""


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
    why: str = ""
    """The reason it was not run here, or did not answer."""

    @property
    def sentence(self) -> str:
        where = f"{self.machine}: " if self.machine else ""
        if self.outcome == "answered":
            told = f" It answered: {self.shown}" if self.shown else ""
            return f"{where}{self.purpose}.{told}"
        reason = "not verified: emulated guest" if self.outcome == EMULATED else self.why or "not run here"
        return f"{where}{self.purpose}: {reason}."


def filled(command: Command, run: str, addresses: Mapping[str, str], port: int = 0) -> tuple[str, ...]:
    """The command with the run folder, the machine and its address in place of `{run}`, `{machine}` and `{address}`.

    In a line for this computer's shell (`from_here`) each stands as the shell would want it, and `{port}` is a free one of this computer's.
    """
    values = {"{run}": run, "{machine}": command.machine, "{address}": addresses.get(command.machine, "")}
    if is_line(command.argv):
        values = {name: shlex.quote(value) for name, value in values.items()} | {"{port}": str(port)}
    names = "|".join(re.escape(name) for name in values)
    return tuple(re.sub(names, lambda found: values[found[0]], word) for word in command.argv)


def is_line(argv: Sequence[str]) -> bool:
    """Whether it is a line that this computer's shell runs."""
    return len(argv) == 3 and tuple(argv[:2]) == ("sh", "-c")


def printed(argv: Sequence[str]) -> str:
    """As it can be pasted into a shell, which then does what the verify step did."""
    return argv[2] if is_line(argv) else shlex.join(argv)


def on_machine(machine: str, purpose: str, remote: str, expect: str) -> Command:
    """A command that the machine's own shell runs, over SSH."""
    return Command(purpose=purpose, argv=("ssh", "-F", "{run}/ssh_config", "{machine}", remote), machine=machine, expect=expect)


def from_here(machine: str, purpose: str, port: int, client: str, expect: str) -> Command:
    """A client on this computer that talks to a port of the machine, through SSH, as the site reaches its machines: `{port}` is the near
    end.

    It is in the guide only when it answered: the client may not be installed here, and a machine may forbid its ports to be forwarded.
    """
    ssh = f"ssh -F {{run}}/ssh_config -f -o ExitOnForwardFailure=yes -L 127.0.0.1:{{port}}:localhost:{port}"
    return Command(
        purpose=purpose,
        argv=("sh", "-c", f"{ssh} {{machine}} sleep {TUNNEL_SECONDS} && {client}"),
        machine=machine,
        expect=expect,
    )


def reaches(machine: str, label: str, endpoint: Endpoint) -> Command:
    """Whether the machine reaches what it was told of another part, by its own file of it."""
    name = variable(label)
    line = f". /etc/berth/{label}.env; timeout 5 bash -c 'exec 3<>/dev/tcp/'${name}_ADDRESS'/'${name}_PORT && echo reached"
    return on_machine(machine, f"See that it reaches {label} ({endpoint.protocol})", f"sudo bash -c {shlex.quote(line)}", "reached")


def variable(label: str) -> str:
    """How the names of the variables begin that tell of a part: `WEB_SERVER`."""
    return re.sub(r"[^A-Z0-9]", "_", label.upper())


def log_in(machine: str) -> Command:
    """What an operator types to be on the machine. Run without input, it logs in and out again."""
    return Command(purpose=LOG_IN, argv=("ssh", "-F", "{run}/ssh_config", "{machine}"), machine=machine)


def to_log_in(machine: AnyMachine) -> tuple[Command, ...]:
    """What can be asked of a machine of any system."""
    name = machine.name
    fingerprints = (fingerprint(key) for key in machine.public_keys)
    return (
        log_in(name),
        on_machine(name, "Log in and ask the machine for its name", "hostname", expect=name),
        *(
            on_machine(
                name,
                "See that your own key is among those that may log in",
                f"ssh-keygen -l -f .ssh/authorized_keys | grep --fixed-strings {known}",
                expect=known,
            )
            for known in fingerprints
            if known
        ),
    )


def common(machine: AnyMachine) -> tuple[Command, ...]:
    """What can be asked of every machine that is set up."""
    return (
        *to_log_in(machine),
        on_machine(
            machine.name,
            "Read its figures from node_exporter",
            "curl --silent --show-error --fail http://{address}:9100/metrics | grep ^node_exporter_build_info",
            expect="node_exporter_build_info",
        ),
    )


def fingerprint(public_key: str) -> str:
    """`SHA256:…` as ssh-keygen prints it; empty when the key cannot be read."""
    words = public_key.split()
    try:
        blob = base64.b64decode(words[1], validate=True) if len(words) > 1 else b""
    except binascii.Error:
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=") if blob else ""


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


def render(page: str, shared: Mapping[str, str], facts: Mapping[str, Json]) -> str:
    """A guide's text. `shared` are templates by name that the page may extend or include; an unknown name in any is an error."""
    from jinja2 import DictLoader

    own = environment(DictLoader({**shared, "page": page}))
    return tidy(own.get_template("page").render(dict(facts))) + "\n"


RULE = "\n---\n"
"""What a guide begins with ends there: what was made, where, how it is reached, where its secrets lie. The rest is looked up."""


def opening(guide: str) -> str:
    return guide.partition(RULE)[0].strip()


def joined(guides: Sequence[str], run_id: str) -> str:
    """The run's guide: of each part how it begins, how all of it is undone, then the rest of each part."""
    undo = (
        f"**To undo it**, say `remove it` here or `remove {run_id}` anywhere: you get a plan of what goes, and nothing goes before you "
        "approve it. **To change it**, say what should be different."
    )
    titles = [opening(guide).partition("\n")[0] for guide in guides]
    rest = [guide.partition(RULE)[2].strip() for guide in guides]
    full = [f"{title}, in full\n\n{one}" if len(guides) > 1 else one for title, one in zip(titles, rest, strict=True)]
    return "\n\n".join([*map(opening, guides), undo, RULE.strip(), *full]) + "\n"
