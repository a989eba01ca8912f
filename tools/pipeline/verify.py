"""Runs each command of a part's guide, exactly as the guide prints it, and keeps what was answered. Printing belongs to guide.py."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tools.clients import databricks, process
from tools.clients.files import write_private
from tools.clients.ssh import OUTPUT_CHARACTERS_MAX, Answer, environment, run_command, run_on
from tools.clients.together import each
from tools.pipeline.context import PartContext, Say
from tools.pipeline.inside_cluster import Inside
from tools.rules.names.foreign import theirs
from tools.rules.words import guiding
from tools.rules.words.guiding import Ran
from tools.values.manifest import Command
from tools.values.trouble import WorldProblem

COMMAND_SECONDS_MAX = 60.0
LOOK_SECONDS_MAX = 120.0
ATTEMPTS_MAX = 3
ATTEMPT_SECONDS = 2.0
AT_ONCE_MAX = 4
NO_SUCH_PROGRAM = 127
CONTAINER = "systemd-detect-virt --quiet --container"
"""Ends with 0 in one (systemd-detect-virt(1))."""
PORTS = range(15432, 16432)
"""Of this computer, for what is forwarded through SSH: below those that Linux gives to connections by itself."""
_PORTS = itertools.cycle(PORTS)
"""Each is handed out once in a long while, so that commands which run at once, of several parts too, do not meet on one."""
FILE = "verify.json"
ANSWER_CHARACTERS_MAX = 600


def verify(context: PartContext, say: Say, pause: Callable[[float], None] = time.sleep) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what was verified, what was not), a sentence each. Raises WorldProblem when a command does not answer as it should."""
    commands = context.part.commands
    outcomes = each(lambda command: _run(context, command, pause), commands, AT_ONCE_MAX)
    ran = [outcome for outcome in outcomes if isinstance(outcome, Ran)]
    write_private(context.part_folder / FILE, json.dumps([one.model_dump() for one in ran], indent=1))
    failures = [outcome for outcome in outcomes if isinstance(outcome, str)]
    for one in ran:
        if one.outcome == "answered":
            say(one.sentence)
    if failures:
        raise WorldProblem(
            "Verifying failed.",
            " ".join(failures[:5]),
            "Log in and look at it, then say retry: it is configured and verified again.",
            retryable=True,
        )
    verified, not_verified = _asked(context, say)
    verified = (*verified, *(one.sentence for one in ran if one.outcome == "answered"))
    return verified, (*not_verified, *(one.sentence for one in ran if one.outcome != "answered"))


def _asked(context: PartContext, say: Say) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(verified, not verified): what a service answers to calls that no command of the guide makes."""
    wanted = context.part.configure
    if wanted is not None and wanted.kind == "kubernetes":
        return Inside(context, say).look()
    if wanted is None or wanted.kind != "databricks":
        return (), ()
    settings, host = context.settings, context.outputs["workspace_url"]
    return databricks.inside(settings, host, "look", wanted.variables, say, context.cancelled, LOOK_SECONDS_MAX), ()


def ran(part_folder: Path) -> tuple[Ran, ...]:
    """What the verify step kept; nothing when it has not been there."""
    path = part_folder / FILE
    return tuple(Ran.model_validate(one) for one in json.loads(path.read_text())) if path.exists() else ()


def _run(context: PartContext, command: Command, pause: Callable[[float], None]) -> Ran | str:
    addresses = {m.name: m.address for m in context.machines}
    told = Ran(purpose=command.purpose, printed="", machine=command.machine, outcome=guiding.NOT_RUN)
    answer, argv = Answer(1, ""), guiding.filled(command, str(context.run_folder), addresses, PORTS.start)
    if not command.runs_here:
        return told.model_copy(update={"printed": guiding.printed(argv)})
    if any(machine.body for machine in context.machines if command.machine in ("", machine.name)):
        return told.model_copy(update={"printed": guiding.printed(argv), "outcome": guiding.EMULATED})
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            # A service that was just started may need a moment.
            pause(ATTEMPT_SECONDS)
        if guiding.is_line(argv):
            # A port may have been taken meanwhile, by the attempt before if by nobody else.
            port = next((port for port in itertools.islice(_PORTS, len(PORTS)) if is_free(port)), PORTS.start)
            argv = guiding.filled(command, str(context.run_folder), addresses, port)
        answer = _answer(context, argv)
        if answer.code == 0 and command.expect in answer.output:
            output = _without_secrets(context, answer.output)
            at = f"{context.now():%Y-%m-%d %H:%M:%S} UTC"
            seen = {"answer": guiding.answer_of(output), "shown": guiding.line_with(output, command.expect)}
            return told.model_copy(update={"printed": guiding.printed(argv), "outcome": "answered", "at": at, **seen})
        if guiding.is_line(argv) and answer.code == NO_SUCH_PROGRAM:
            break
    told_last = " ".join(guiding.answer_of(_without_secrets(context, answer.output)).split())[-ANSWER_CHARACTERS_MAX:] or "nothing"
    wanted = f"“{' '.join(command.expect.split())}” was expected" if answer.code == 0 else f"it ended with {answer.code}"
    why = f"{wanted}, and it answered {theirs(told_last)}"
    if guiding.is_line(argv):
        # It shows one way more to what the machine has answered already; the guide leaves it out, and what was not verified says why.
        return told.model_copy(update={"printed": guiding.printed(argv), "why": f"not verified from here: {why}"})
    if command.own_kernel and run_on(context.run_folder, command.machine, CONTAINER, COMMAND_SECONDS_MAX).code == 0:
        return told.model_copy(update={"why": f"not verified: this machine is a container, which shares its kernel with others; {why}"})
    where = f"{command.machine}: " if command.machine else ""
    return f"{where}{command.purpose}: {why}."


def _answer(context: PartContext, argv: tuple[str, ...]) -> Answer:
    if not guiding.is_line(argv):
        return run_command(argv, COMMAND_SECONDS_MAX)
    try:
        # Waits for the shell, not for everybody who has its outputs: an ssh that forwards a port stays behind for a moment.
        done = process.run(argv, folder=context.run_folder, environment=environment(), seconds_max=COMMAND_SECONDS_MAX)
    except WorldProblem as problem:
        return Answer(1, problem.detail)
    return Answer(done.code, (done.out if done.code == 0 else done.out + done.err)[:OUTPUT_CHARACTERS_MAX])


def _without_secrets(context: PartContext, text: str) -> str:
    for secret in context.part.secrets:
        if secret.kind == "password":
            text = text.replace(context.secret(secret.name), f"(secrets/{secret.name})")
    return text


def is_free(port: int) -> bool:
    """Whether a server of this computer could listen there."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
