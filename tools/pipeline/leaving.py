"""Before a change takes machines away: what they do is moved to those that stay. What must be run for that the part says itself."""

from __future__ import annotations

from tools.clients.ssh import run_command
from tools.pipeline.steps import Work
from tools.rules.names.foreign import theirs
from tools.rules.words import guiding
from tools.values.manifest import Command
from tools.values.trouble import WorldProblem
from tools.values.value import Json

FAREWELL_SECONDS_MAX = 600.0
SAID_CHARACTERS_MAX = 400


def leave(work: Work) -> Json:
    """One machine after the other. Raises WorldProblem, with nothing taken away yet, when one of them cannot go."""
    gone = [change.name for change in work.part_plan.changes if change.action == "delete"]
    for name in gone if work.kind == "change" else ():
        for command in work.part.farewell:
            work.say(f"{name}: {command.purpose}.")
            _run(work, command, name)
    return {"left": gone}


def _run(work: Work, command: Command, name: str) -> None:
    argv = tuple(word.replace("{leaving}", name) for word in guiding.filled(command, str(work.run_folder), {}))
    answer = run_command(argv, FAREWELL_SECONDS_MAX)
    if answer.code != 0 or command.expect not in answer.output:
        said = " ".join(guiding.answer_of(answer.output).split())[-SAID_CHARACTERS_MAX:] or "nothing"
        raise WorldProblem(
            "A machine cannot go yet.",
            f"{name}: {command.purpose} did not succeed on {command.machine}, which answered {theirs(said)}.",
            "Nothing was taken away. Put that right and say retry, or say leave.",
            retryable=True,
        )
