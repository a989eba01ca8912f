"""Guests with bodies: which guests get one, what it is told, and what happens when it fails or goes off by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface

import pytest

from cluster_sim.guests import Executed, GuestProblem, GuestSpec
from cluster_sim.http import Request
from cluster_sim.proxmox import bodies
from cluster_sim.proxmox.access import Grant
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import Driver, Refused

KEY = "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIJ%20ops%40berth"
GUEST = "/nodes/pve1/qemu/201"


@dataclass
class Scripted:
    """Bodies that do what the test says, at once or when told."""

    kind: str = "pod"
    proxy_command: str | None = "dial %h %p"
    booted: dict[str, GuestSpec] = field(default_factory=dict)
    on: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    may_come_up: threading.Event = field(default_factory=threading.Event)
    trouble: str | None = None

    def boot(self, spec: GuestSpec) -> None:
        if self.trouble:
            raise GuestProblem(self.trouble)
        self.booted[spec.key] = spec
        self.on.add(spec.key)

    def shutdown(self, key: str, force: bool = False) -> None:
        self.said.append(f"{'stop' if force else 'shutdown'} {key}")
        self.on.discard(key)

    def destroy(self, key: str) -> None:
        self.said.append(f"destroy {key}")

    def is_up(self, key: str) -> bool:
        return self.may_come_up.is_set()

    def running(self) -> tuple[str, ...]:
        return tuple(self.on)

    def exec(self, key: str, argv: Sequence[str]) -> Executed:
        return Executed(3, " ".join(argv), "")

    def close(self) -> None: ...


@pytest.fixture
def pve(four_nodes: World) -> Driver:
    pve = Driver(four_nodes, bodies=Scripted())
    assert pve.clone(201, name="db-01") == "OK"
    pve.put(f"{GUEST}/config", sshkeys=KEY, net0="virtio,bridge=vmbr0,tag=20", ciuser="ops", cipassword="secret")
    return pve


def play(pve: Driver, upid: str) -> str:
    """To the end, waiting for the threads that bodies work in."""
    pve.cluster.agenda.finish_all(wait_s_max=10)
    pve.clock.advance(30)
    return pve.end(upid)


def test_a_body_is_told_what_the_cloud_init_drive_says(pve: Driver) -> None:
    assert play(pve, pve.post(f"{GUEST}/status/start")) == "OK"
    mac = pve.get(f"{GUEST}/config")["net0"].split(",")[0].removeprefix("virtio=")
    assert pve.bodies.booted["201"] == GuestSpec(
        key="201",
        hostname="db-01",
        mac=mac,
        address=IPv4Interface("10.20.0.201/24"),
        gateway=IPv4Address("10.20.0.1"),
        user="ops",
        ssh_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ops@berth",),
        password="secret",
        dhcp=True,
        cpu_count=pve.cluster.guests[201].cores,
        memory_bytes=pve.cluster.guests[201].memory_bytes,
    )


def test_the_agent_answers_when_the_body_is_up_and_not_before(pve: Driver) -> None:
    play(pve, pve.post(f"{GUEST}/status/start"))
    with pytest.raises(Refused, match="QEMU guest agent is not running"):
        pve.get(f"{GUEST}/agent/network-get-interfaces")
    pve.bodies.may_come_up.set()
    assert pve.cluster.waking[201].result(timeout=10)
    assert "10.20.0.201" in str(pve.get(f"{GUEST}/agent/network-get-interfaces"))


def test_the_agent_runs_a_command_in_the_body(pve: Driver) -> None:
    pve.cluster.access.grants.append(Grant("/", "berth@pve", "Administrator"))
    pve.bodies.may_come_up.set()
    play(pve, pve.post(f"{GUEST}/status/start"))
    assert pve.cluster.waking[201].result(timeout=10)
    answer = pve.front(
        Request(
            "POST",
            f"/api2/json{GUEST}/agent/exec",
            (),
            {"Authorization": f"PVEAPIToken={pve.token}"},
            b"command=echo&command=a,b&command=c%20d",
        )
    )
    pid = json.loads(answer.body)["data"]["pid"]
    pve.cluster.commands[(201, pid)].result(timeout=10)
    assert pve.get(f"{GUEST}/agent/exec-status", pid=pid) == {"exited": 1, "exitcode": 3, "out-data": "echo a,b c d"}
    with pytest.raises(Refused, match="PID 5 does not exist"):
        pve.get(f"{GUEST}/agent/exec-status", pid=5)


def test_a_body_follows_its_guest_to_the_end(pve: Driver) -> None:
    pve.bodies.may_come_up.set()
    for path in ("start", "shutdown", "start", "stop"):
        assert play(pve, pve.post(f"{GUEST}/status/{path}")) == "OK"
    assert play(pve, pve.delete(GUEST)) == "OK"
    assert pve.bodies.said == ["destroy 201", "shutdown 201", "stop 201", "destroy 201"]


def test_a_body_that_does_not_boot_fails_the_start(pve: Driver) -> None:
    pve.bodies.trouble = "There is no room for another guest."
    assert play(pve, pve.post(f"{GUEST}/status/start")) == "start failed: There is no room for another guest."
    assert pve.get(f"{GUEST}/status/current")["status"] == "stopped"


def test_a_guest_that_goes_off_by_itself_is_stopped(pve: Driver) -> None:
    pve.bodies.may_come_up.set()
    play(pve, pve.post(f"{GUEST}/status/start"))
    pve.bodies.on.clear()
    for _ in range(100):
        pve.clock.advance(1)
        if pve.get(f"{GUEST}/status/current")["status"] == "stopped":
            break
        watch = pve.cluster.watch
        if watch is not None:
            watch[0].result(timeout=10)
    assert pve.get(f"{GUEST}/status/current")["status"] == "stopped"


@pytest.mark.parametrize("config", [{"delete": "sshkeys"}, {"delete": "ide2"}, {"net0": "virtio,bridge=vmbr0,tag=99"}])
def test_guests_nobody_could_log_in_to_get_none(pve: Driver, config: dict[str, str]) -> None:
    pve.put(f"{GUEST}/config", **config)
    assert bodies.spec_of(pve.cluster, pve.cluster.guests[201]) is None
    assert play(pve, pve.post(f"{GUEST}/status/start")) == "OK"
    assert not pve.bodies.booted


def test_guests_of_the_world_file_have_none(pve: Driver) -> None:
    assert not any(g.has_body for g in pve.cluster.guests.values())
