"""A machine that is on its way from one node to another while it is looked at: it is followed, and not taken for gone or broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from pydantic import SecretStr

from cluster_sim.http import Answer, Request, Service
from tests.cluster_sim.proxmox.driver import BERTH, Driver, shipped
from tools.clients.proxmox_acting import Acting

from .conftest import Connected

NEW = 500


@dataclass
class Arriving:
    """A cluster in which a clone gets to its node at the very moment when it is asked for where it began."""

    pve: Driver = field(default_factory=lambda: Driver(shipped("four_nodes")))
    clone: str = ""
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clone = self.pve.post("/nodes/pve1/qemu/9000/clone", newid=NEW, name="on-its-way", full=1, target="pve2")

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request.path.removeprefix("/api2/json"))
        if f"/nodes/pve1/qemu/{NEW}/" in request.path:
            self.pve.end(self.clone)
        return self.pve.front(request)


@pytest.mark.parametrize("path", [("status", "current"), ("config",), ("pending",)])
def test_a_clone_that_gets_to_its_node_between_two_calls_is_followed(serve: Callable[[Service], Connected], path: tuple[str, ...]) -> None:
    cluster = Arriving()
    connected = replace(serve(cluster), proxmox_api_token=SecretStr(BERTH))
    found = Acting(connected).read_of(NEW, *path)
    assert found is not None and found[0]["node"] == "pve2"
    said = "/".join(path)
    assert [one for one in cluster.asked if one.endswith(said)] == [f"/nodes/pve1/qemu/{NEW}/{said}", f"/nodes/pve2/qemu/{NEW}/{said}"]


def test_it_is_waited_for_until_it_is_whole(serve: Callable[[Service], Connected]) -> None:
    connected = replace(serve(Arriving()), proxmox_api_token=SecretStr(BERTH))
    assert Acting(connected).wait_unlocked(NEW)
