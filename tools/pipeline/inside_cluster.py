"""Brings a part's Kubernetes objects into its cluster, and looks whether they are there and do their work. Twice is as good as once.

What the objects are is the capability's; how a line gets in is tools.clients.aks's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from tools.clients.files import write_private
from tools.pipeline.context import PartContext, Say
from tools.rules.azure.outputs import fill
from tools.rules.names.foreign import theirs
from tools.values.trouble import WorldProblem
from tools.values.value import Json

OBJECTS = "kubernetes.json"
CHECKS = {"check": "spark-check.json", "gpu_check": "gpu-check.json"}
"""Jobs that the guide names; the first is run by the verify step."""
ALLOWED_MAX, ALLOWED_SECONDS = 20, 15.0
"""A role that was just assigned takes up to five minutes to count inside."""
WAITS_MAX = 16
WAIT_SECONDS = 40
"""A first executor starts its machine. One wait ends before Azure ends the command."""
FORBIDDEN, LATE = "(Forbidden)", "timed out waiting"
Pause = Callable[[float], None]


class Inside:
    """The cluster of a part, through Azure."""

    def __init__(self, context: PartContext, say: Say, pause: Pause = time.sleep) -> None:
        # Azure's libraries take a while to load, and machines are configured without them.
        from tools.clients.azure import Azure

        self.context, self.say, self.pause = context, say, pause
        wanted = context.part.configure
        assert wanted is not None, "a part with a cluster says what is wanted inside"
        self.wanted: dict[str, Json] = fill(wanted.variables, context.outputs)
        self.cluster_id = str(context.outputs["cluster"]["id"])
        self.azure = Azure(context.settings)

    def run(self, line: str, **files: Json) -> tuple[int, str]:
        """Exit code and output; what Azure's roles do not allow yet is tried again for a while."""
        from tools.clients import aks

        texts = {f"{name}.json": json.dumps(value) for name, value in files.items()}
        ended = aks.Ended(1, "")
        for attempt in range(ALLOWED_MAX):
            if attempt:
                self.pause(ALLOWED_SECONDS)
            ended = aks.run(self.azure, self.cluster_id, line, texts, pause=self.pause, cancelled=self.context.cancelled)
            if FORBIDDEN not in ended.output or self.context.cancelled():
                break
            if not attempt:
                self.say("Azure's roles have not come through in the cluster yet; trying again …")
        return ended.code, ended.output

    def apply(self) -> None:
        folder = self.context.part_folder
        write_private(folder / OBJECTS, json.dumps(self.wanted["objects"], indent=1))
        for name, file in CHECKS.items():
            if name in self.wanted:
                write_private(folder / file, json.dumps(self.wanted[name], indent=1))
        code, output = self.run("kubectl apply -f objects.json", objects=self.wanted["objects"])
        if code:
            raise WorldProblem(
                "The cluster did not take what it was given.",
                f"kubectl apply ended with {code}: {_last(output)}",
                f"It was given {OBJECTS} of the part's folder. Correct what it says, then say retry: what is there stays.",
                retryable=True,
            )
        changed = [line.split()[0] for line in output.splitlines() if line.endswith((" created", " configured"))]
        self.say(f"Inside the cluster: {theirs(', '.join(changed))}." if changed else "Inside the cluster everything was there already.")

    def look(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(what was verified, what was not). Raises WorldProblem when something is missing, or the job failed."""
        code, output = self.run("kubectl get -f objects.json -o name", objects=self.wanted["objects"])
        if code:
            raise WorldProblem(
                "Verifying failed.",
                f"Inside the cluster: {_last(output)}",
                "Say retry: it is configured and verified again.",
                retryable=True,
            )
        names = ", ".join(line.strip() for line in output.splitlines() if "/" in line)
        there = f"The cluster has {theirs(names)}."
        self.say(there)
        done, told = self._job(str(self.wanted["namespace"]), self.wanted["check"])
        self.say(told)
        return ((there, told), ()) if done else ((there,), (told,))

    def _job(self, namespace: str, job: Json) -> tuple[bool, str]:
        name = job["metadata"]["name"]
        again = f"kubectl delete job {name} -n {namespace} --ignore-not-found && kubectl apply -f job.json"
        code, output = self.run(again, job=job)
        for _ in range(WAITS_MAX if code == 0 else 0):
            wait = f"kubectl wait job/{name} -n {namespace} --for=condition=complete --timeout={WAIT_SECONDS}s"
            code, output = self.run(wait)
            if code == 0:
                _, logs = self.run(f"kubectl logs job/{name} -n {namespace} --tail=1")
                return True, f"A Spark job wrote to the lake and read it back: {_last(logs)}."
            if LATE not in output or self.context.cancelled():
                break
            _, seen = self.run(f"kubectl get job {name} -n {namespace} -o json")
            if _failed(seen):
                _, logs = self.run(f"kubectl logs job/{name} -n {namespace} --tail=5")
                raise WorldProblem(
                    "Verifying failed.",
                    f"The Spark job {name} failed in the cluster: {_last(logs)}",
                    f"`kubectl logs job/{name} -n {namespace}` tells more. Say retry: it is run again.",
                    retryable=True,
                )
        return False, f"The Spark job {name} was handed in, and not seen to its end: {_last(output)}"


def _failed(seen: str) -> bool:
    try:
        return bool(json.loads(seen)["status"].get("failed", 0) > 1)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _last(output: str) -> str:
    """Of what the cluster said, the line that tells, marked as its words."""
    return theirs(next((line.strip() for line in reversed(output.splitlines()) if line.strip()), ""))
