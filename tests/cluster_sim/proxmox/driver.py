"""Drives a simulated cluster without a server: one call, one answer; tasks are played to their end by moving the clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cluster_sim.clock import ManualClock
from cluster_sim.http import Answer, Request
from cluster_sim.proxmox.building import build_cluster
from cluster_sim.proxmox.cluster import Cluster
from cluster_sim.proxmox.front import Front
from cluster_sim.world import World, read_world

WORLDS = Path(__file__).parents[3] / "cluster_sim" / "worlds"
BERTH = "berth@pve!berth=be27ab1e-0000-4000-8000-000000000003"
SCAN = "scan@pve!scan=5ca40000-0000-4000-8000-000000000001"
APPLY = "apply@pve!apply=a9917000-0000-4000-8000-000000000002"
TASK_S_MAX = 300


class Refused(AssertionError):
    """A call was answered with a code of 400 or more, and the test did not expect it."""

    def __init__(self, answer: Answer) -> None:
        self.status, self.reason, self.answer = answer.status, answer.reason or "", answer
        self.errors = json.loads(answer.body).get("errors", {}) if answer.body else {}
        super().__init__(f"{answer.status} {answer.reason} {self.errors}")


@dataclass
class Driver:
    world: World
    token: str = BERTH
    bodies: Any = None
    pace: float = 1.0
    clock: ManualClock = field(default_factory=ManualClock)
    cluster: Cluster = field(init=False)
    front: Front = field(init=False)

    def __post_init__(self) -> None:
        assert self.world.proxmox is not None
        self.cluster = build_cluster(self.world.proxmox, self.clock, bodies=self.bodies, pace=self.pace)
        self.front = Front(self.cluster)

    def answer(
        self,
        method: str,
        path: str,
        form: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
        token: str | None = None,
        base: str = "/api2/json",
    ) -> Answer:
        headers = {"Authorization": f"PVEAPIToken={token or self.token}", "Content-Type": "application/x-www-form-urlencoded"}
        pairs = tuple((k, str(v)) for k, v in (query or {}).items())
        return self.front(Request(method, base + path, pairs, headers, urlencode(form or {}).encode()))

    def call(self, method: str, path: str, form: dict[str, Any] | None = None, **more: Any) -> Any:
        """The data of an answer that must be good."""
        answer = self.answer(method, path, form, **more)
        if answer.status >= 400:
            raise Refused(answer)
        return json.loads(answer.body)["data"]

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, **form: Any) -> Any:
        return self.call("POST", path, form)

    def put(self, path: str, **form: Any) -> Any:
        return self.call("PUT", path, form)

    def delete(self, path: str, **query: Any) -> Any:
        return self.call("DELETE", path, query=query)

    def status(self, upid: str) -> dict[str, Any]:
        return dict(self.get(f"/nodes/{upid.split(':')[1]}/tasks/{upid}/status"))

    def end(self, upid: str) -> str:
        """Plays a task to its end, and gives its exit status."""
        for _ in range(TASK_S_MAX):
            status = self.status(upid)
            if status["status"] == "stopped":
                return str(status["exitstatus"])
            assert "exitstatus" not in status
            self.clock.advance(1)
        raise AssertionError(f"{upid} did not end within {TASK_S_MAX} simulated seconds")

    def clone(self, newid: int, template: int = 9000, **form: Any) -> str:
        node = self.cluster.guests[template].node
        return self.end(self.post(f"/nodes/{node}/qemu/{template}/clone", newid=newid, full=1, **form))


def shipped(name: str) -> World:
    return read_world(WORLDS / f"{name}.yaml")
