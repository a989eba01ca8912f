"""A monitoring machine as ssh reaches it: lists of targets are put there and taken away, and its Prometheus is asked what became of them.
What stands in a list is decided elsewhere."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.clients.ssh import CONNECT_SECONDS, Answer, run_command
from tools.rules.names.foreign import theirs
from tools.values.trouble import WorldProblem

ANSWER_SECONDS_MAX = 30.0
TARGETS_CHARACTERS_MAX = 20_000_000


@dataclass(frozen=True)
class Watcher:
    name: str
    """As ssh knows it."""
    ssh_config: Path | None
    """None: the operator's own settings."""
    folder: str
    """Of the lists."""

    def put(self, list_name: str, text: str) -> bool:
        """Writes a list; False where it stood there just so. Prometheus reads it within seconds, and never half of it."""
        place, new = shlex.quote(f"{self.folder}/{list_name}"), shlex.quote(f"{self.folder}/.{list_name}.new")
        sent = base64.b64encode(text.encode()).decode()
        written = f"printf %s {sent} | base64 -d > {new} && chmod 644 {new}"
        return "same" not in self._ask(f"{written} && if cmp -s {new} {place}; then rm {new}; echo same; else mv {new} {place}; fi").output

    def drop(self, list_name: str) -> bool:
        """Takes a list away; False where there is none."""
        place = shlex.quote(f"{self.folder}/{list_name}")
        return "gone" in self._ask(f"if [ -e {place} ]; then rm {place} && echo gone; fi").output

    def lists(self) -> tuple[str, ...]:
        """The names of those that stand there."""
        return tuple(name for name in self._ask(f"ls -1 {shlex.quote(self.folder)}").output.split() if name.endswith(".json"))

    def health(self, run_id: str, label: str) -> tuple[tuple[str, str, bool], ...]:
        """(machine, job, whether it answers) of the targets of a part, as far as they were asked already."""
        answer = self._ask("curl --silent --fail 'http://127.0.0.1:9090/api/v1/targets?state=active'", TARGETS_CHARACTERS_MAX)
        try:
            active = json.loads(answer.output)["data"]["activeTargets"]
            of_part = [one for one in active if (one["labels"].get("run"), one["labels"].get("part")) == (run_id, label)]
            return tuple(
                (str(one["labels"]["instance"]), str(one["labels"]["job"]), one["health"] == "up")
                for one in of_part
                if one["health"] != "unknown"
            )
        except (ValueError, KeyError, TypeError):
            raise self._trouble(answer) from None

    def _ask(self, line: str, characters_max: int = TARGETS_CHARACTERS_MAX) -> Answer:
        config: Sequence[str] = ("-F", str(self.ssh_config)) if self.ssh_config else ()
        options = ("-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}")
        answer = run_command(["ssh", *config, *options, self.name, line], ANSWER_SECONDS_MAX, characters_max)
        if answer.code != 0:
            raise self._trouble(answer)
        return answer

    def _trouble(self, answer: Answer) -> WorldProblem:
        return WorldProblem(
            "The monitoring machine is away.",
            f"{self.name} was asked over SSH and answered: {theirs(answer.output[:300].strip() or 'nothing')}.",
            "Look whether it runs, then type `berth watch`: it is told then what it could not be told now.",
            retryable=True,
        )
