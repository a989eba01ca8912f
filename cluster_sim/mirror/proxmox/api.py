"""Proxmox's API as the released provider uses it: token, form values, error texts, tasks waited for.

Which calls to make is not decided here.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from cluster_sim.mirror.provider import Problem, Stopping
from cluster_sim.mirror.web import Reply, Unreachable, Web, encoded

_TOKEN = re.compile(r"^\S+@\S+!\S+=([a-zA-Z0-9-]+)$")
_GONE = re.compile(r"does not exist|no such resource|no such ha|No such file or directory")
_PAUSE_S_FIRST, _PAUSE_S_MAX = 0.02, 1.0
"""The released provider looks once a second. Looking sooner at first keeps a demonstration quick and changes no call."""
_PAUSE_S_UNREACHABLE = 0.2
_LOOKS_MAX = 3
TLS = {"": ssl.TLSVersion.TLSv1_3, "1.3": ssl.TLSVersion.TLSv1_3, "1.2": ssl.TLSVersion.TLSv1_2}


@dataclass(frozen=True)
class Again:
    """How often a call is made, and after which refusals.

    The released provider begins a task anew when it could not be begun. A task that was begun and failed is the end, except of a clone
    that waited for a lock in vain (seen of 0.111.1, 2026-11-29), and of a resize: a storage may not know yet of a disk just moved to it.
    """

    attempts: int = 1
    refusals: re.Pattern[str] = re.compile("got timeout")
    failed_tasks: bool = False


ONCE = Again()
CONFIGURING = Again(3)
STARTING = Again(3, re.compile("got no worker upid"))
# The released provider tries a clone again after any answer of 5xx, ten seconds later and then twice as long each time: with many
# tries a refusal that lasts is told when `timeout_clone` is over. And a later try that is answered "already exists" it takes for
# its own clone. Here only what may pass is tried again, and soon.
DELETING = Again(3, re.compile("got timeout|got no worker upid|can't lock|is locked|unable to acquire"))
CLONING = replace(DELETING, failed_tasks=True)
RESIZING = Again(5, re.compile("got timeout|does not exist"), failed_tasks=True)


class ApiProblem(Problem):
    def __init__(self, reply: Reply) -> None:
        body = reply.json if isinstance(reply.json, dict) else {}
        errors = body.get("errors") or {}
        listed = " - ".join(f"{name}: {str(text).strip()}" for name, text in errors.items()) if isinstance(errors, dict) else ""
        self.reason = reply.reason or str(body.get("message") or "").strip()
        self.status = reply.status
        super().__init__(f"received an HTTP {reply.status} response - Reason: {self.reason}" + (f" ({listed})" if listed else ""))

    @property
    def gone(self) -> bool:
        return self.status == 404 or (self.status == 500 and bool(_GONE.search(self.reason)))


class Waiting:
    """Pauses that grow to a second, within a time. Iterating gives the looks; running out of time ends the iteration."""

    def __init__(self, stopping: Stopping, seconds_max: float) -> None:
        self._stopping, self._ends, self._pause_s = stopping, time.monotonic() + seconds_max, _PAUSE_S_FIRST

    def __iter__(self) -> Waiting:
        return self

    def __next__(self) -> None:
        if self._pause_s > _PAUSE_S_FIRST:
            if time.monotonic() > self._ends:
                raise StopIteration
            self._stopping.pause(self._pause_s)
        self._pause_s = min(self._pause_s * 1.6, _PAUSE_S_MAX)


class Api:
    def __init__(self, endpoint: str, token: str, tls: ssl.SSLContext, stopping: Stopping) -> None:
        if not _TOKEN.match(token):
            raise Problem(
                "The API token must be of the form user@realm!name=secret.",
                "Set api_token in the provider block, or PROXMOX_VE_API_TOKEN.",
            )
        self._web = Web(endpoint, tls)
        self._headers = {"Authorization": f"PVEAPIToken={token}", "Accept": "application/json"}
        self.stopping = stopping

    def get(self, path: str, **query: object) -> Any:
        return self._call("GET", path, query)

    def post(self, path: str, **form: object) -> Any:
        return self._call("POST", path, form)

    def put(self, path: str, form: Mapping[str, object]) -> Any:
        return self._call("PUT", path, form)

    def delete(self, path: str, **query: object) -> Any:
        return self._call("DELETE", path, query)

    def run(
        self,
        method: str,
        path: str,
        what: str,
        values: Mapping[str, object],
        *,
        seconds_max: float,
        again: Again = ONCE,
    ) -> None:
        """Starts a task and waits until it has ended well. `what` completes the sentence "error waiting for …"."""
        for attempt in range(again.attempts):
            last = attempt + 1 >= again.attempts
            try:
                upid = self._call(method, path, values)
                if isinstance(upid, str) and upid.startswith("UPID:"):
                    self._wait(upid, what, seconds_max)
                return
            except (ApiProblem, TaskProblem) as problem:
                final = isinstance(problem, TaskProblem) and not again.failed_tasks
                if last or final or not again.refusals.search(f"{problem.summary}\n{problem.detail}"):
                    raise
            self.stopping.pause(min(0.5 * 2**attempt, 10.0))

    def _wait(self, upid: str, what: str, seconds_max: float) -> None:
        node = upid.split(":")[1]
        path = f"/nodes/{node}/tasks/{quote(upid, safe='')}"
        for _look in Waiting(self.stopping, seconds_max):
            try:
                status = self.get(f"{path}/status")
            except ApiProblem as problem:
                if problem.status == 400:  # not visible yet
                    continue
                raise
            if status.get("status") != "stopped":
                continue
            ended = str(status.get("exitstatus", ""))
            if ended == "OK" or ended.startswith("WARNINGS"):
                return
            lines = [str(line.get("t", "")) for line in self.get(f"{path}/log", limit=50)]
            raise TaskProblem(f"error waiting for {what}: task {upid!r} failed to complete with exit code: {ended}", "\n".join(lines))
        raise Problem(f"error waiting for {what}: task {upid!r} is still running after {seconds_max:.0f} seconds.")

    def _call(self, method: str, path: str, values: Mapping[str, object]) -> Any:
        target, body, headers = f"/api2/json{path}", None, self._headers
        if method in ("GET", "DELETE"):
            target += f"?{encoded(values)}" if values else ""
        else:
            body = encoded(values).encode()
            headers = headers | {"Content-Type": "application/x-www-form-urlencoded"}
        reply = self._sent(method, target, body, headers)
        if not reply.ok:
            raise ApiProblem(reply)
        answer = reply.json
        if not isinstance(answer, dict):
            raise Problem(f"{self._web.name} answered {method} {path} with something that is not a JSON object.")
        return answer.get("data")

    def _sent(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Looking again does no harm when a line drops; doing again might."""
        for _attempt in range(_LOOKS_MAX - 1 if method == "GET" else 0):
            try:
                return self._web.send(method, target, body, headers)
            except Unreachable:
                self.stopping.pause(_PAUSE_S_UNREACHABLE)
        return self._web.send(method, target, body, headers)


class TaskProblem(Problem):
    """A task ended, but not well."""
