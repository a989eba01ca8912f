"""Tokens, roles and access lists: what is refused, and what is left out without a word."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim.proxmox.access import BUILT_IN_ROLES, PRIVILEGES, Access, Grant, Token, User, Who
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import APPLY, BERTH, SCAN, Driver, Refused

U, T = "ops@pve", "ops@pve!t"


@pytest.mark.parametrize(
    ("grants", "separate", "path", "expected"),
    [
        ([(("/"), U, "PVEAuditor", True)], False, "/vms/100", True),
        ([("/", U, "PVEAuditor", True)], True, "/vms/100", False),
        ([("/", U, "PVEAuditor", True), ("/", T, "PVEAuditor", True)], True, "/vms/100", True),
        ([("/", T, "PVEAuditor", True)], True, "/vms/100", False),
        ([("/", U, "PVEAuditor", False)], False, "/vms/100", False),
        ([("/", U, "PVEAuditor", False)], False, "/", True),
        ([("/vms", U, "PVEAuditor", True)], False, "/vms/100", True),
        ([("/vms", U, "PVEAuditor", True)], False, "/storage/local", False),
        ([("/", U, "PVEAuditor", True), ("/vms", U, "PVEPoolUser", True)], False, "/vms/100", False),
        ([("/", U, "PVEAuditor", True), ("/vms/100", U, "NoAccess", True)], False, "/vms/100", False),
        ([("/", "@ops", "PVEAuditor", True)], False, "/vms/100", True),
        ([("/", "@ops", "PVEAuditor", True), ("/", U, "PVEPoolUser", True)], False, "/vms/100", False),
        ([("/pool/berth", U, "PVEAuditor", True)], False, "/vms/100", True),
        ([("/pool/berth", U, "NoAccess", True), ("/", U, "PVEAuditor", True)], False, "/vms/100", False),
    ],
)
def test_who_may_see_a_guest(grants: list[tuple[Any, ...]], separate: bool, path: str, expected: bool) -> None:
    users = {U: User(U, groups=("ops",), tokens={"t": Token("s", separate)})}
    access = Access(users, dict(BUILT_IN_ROLES), [Grant(*g) for g in grants])
    assert access.may(Who(U, "t"), path, "VM.Audit", pool="berth" if "pool" in str(grants) else None) is expected


def test_root_may_everything_but_its_token_is_not_root() -> None:
    users = {"root@pam": User("root@pam", tokens={"t": Token("s", True)})}
    access = Access(users, dict(BUILT_IN_ROLES), [])
    assert set(access.privileges(Who("root@pam"), "/vms/1")) == PRIVILEGES
    assert not access.privileges(Who("root@pam", "t"), "/vms/1")
    assert not Who("root@pam", "t").is_root


def test_the_privileges_of_version_9() -> None:
    assert "VM.Monitor" not in PRIVILEGES
    assert BUILT_IN_ROLES["PVEAuditor"] == {p for p in PRIVILEGES if p.endswith(".Audit")}
    assert len(PRIVILEGES) == 47


@pytest.fixture
def least(four_nodes: World) -> Driver:
    return Driver(four_nodes, token=APPLY)


def test_the_scan_token_looks_and_touches_nothing(four_nodes: World) -> None:
    scan = Driver(four_nodes, token=SCAN)
    assert len(scan.get("/cluster/resources", type="vm")) == 19
    for method, path, form in [
        ("POST", "/nodes/pve1/qemu/9000/clone", {"newid": 201}),
        ("PUT", "/nodes/pve1/qemu/110/config", {"memory": 1}),
        ("POST", "/nodes/pve1/qemu/110/status/stop", {}),
        ("DELETE", "/nodes/pve1/qemu/110", {}),
    ]:
        with pytest.raises(Refused) as refused:
            scan.call(method, path, form)
        assert refused.value.status == 403


@pytest.mark.parametrize(
    ("method", "path", "form", "words"),
    [
        ("POST", "/nodes/pve1/qemu/9000/clone", {"newid": 201}, "Permission check failed (/vms/201, VM.Allocate)"),
        ("POST", "/nodes/pve1/qemu/110/clone", {"newid": 201, "pool": "berth"}, "Permission check failed (/vms/110, VM.Clone)"),
        ("GET", "/nodes/pve1/qemu/110/config", {}, "Permission check failed (/vms/110, VM.Audit)"),
        ("POST", "/nodes/pve1/qemu/110/status/stop", {}, "Permission check failed (/vms/110, VM.PowerMgmt)"),
        ("GET", "/nodes/pve1/status", {}, "Permission check failed (/nodes/pve1, Sys.Audit)"),
        ("DELETE", "/nodes/pve1/qemu/9000", {}, "Permission check failed (/vms/9000, VM.Allocate)"),
    ],
)
def test_a_refusal_names_path_and_privilege(least: Driver, method: str, path: str, form: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        least.call(method, path, form)
    assert (refused.value.status, refused.value.reason) == (403, words)


def test_lists_leave_out_what_may_not_be_seen(least: Driver) -> None:
    assert {g["vmid"] for g in least.get("/cluster/resources", type="vm")} == {9000, 9001}
    assert {s["storage"] for s in least.get("/nodes/pve1/storage")} == {"ceph-vm", "local-lvm"}
    assert [p["poolid"] for p in least.get("/pools")] == ["berth"]
    node = least.get("/nodes")[0]
    assert node["status"] == "online"
    assert "cpu" not in node


def test_least_privilege_is_enough_inside_its_pool(least: Driver) -> None:
    """Clone into the pool, configure, grow, start, read, stop, remove: with the rights of least privilege and no others."""
    assert least.clone(201, name="web-1", pool="berth") == "OK"
    guest = "/nodes/pve1/qemu/201"
    least.put(f"{guest}/config", delete="ide2")
    least.put(
        f"{guest}/config",
        ide2="ceph-vm:cloudinit",
        net0="virtio,bridge=vmbr0,tag=20",
        memory=4096,
        cores=2,
        tags="x",
        ciuser="ops",
    )
    assert least.end(least.put(f"{guest}/resize", disk="scsi0", size="10G")) == "OK"
    assert least.end(least.post(f"{guest}/status/start")) == "OK"
    least.clock.advance(5)
    assert least.get(f"{guest}/agent/network-get-interfaces")["result"]
    assert least.end(least.post(f"{guest}/status/stop")) == "OK"
    assert least.end(least.delete(guest)) == "OK"


def test_a_bridge_needs_its_right(least: Driver) -> None:
    assert least.clone(201, name="web-1", pool="berth") == "OK"
    least.cluster.access.grants[:] = [g for g in least.cluster.access.grants if g.path != "/sdn/zones"]
    with pytest.raises(Refused) as refused:
        least.put("/nodes/pve1/qemu/201/config", net0="virtio,bridge=vmbr0,tag=20")
    assert refused.value.reason == "Permission check failed (/sdn/zones/localnetwork/vmbr0/20, SDN.Use)"


def test_a_token_can_ask_what_it_may(least: Driver) -> None:
    held = least.get("/access/permissions")
    assert held["/vms/9000"] == {"VM.Audit": 1, "VM.Clone": 1}
    assert held["/pool/berth"]["VM.Allocate"] == 1
    assert "/" not in held
    assert set(least.call("GET", "/access/permissions", query={"path": "/storage/ceph-vm"})["/storage/ceph-vm"]) == {
        "Datastore.AllocateSpace",
        "Datastore.Audit",
    }


def test_the_token_of_the_ready_line_holds_nothing_dangerous(four_nodes: World) -> None:
    held = {p for privileges in Driver(four_nodes, token=BERTH).get("/access/permissions").values() for p in privileges}
    never = (
        "Permissions.",
        "User.",
        "Realm.",
        "Group.",
        "Sys.Modify",
        "Sys.PowerMgmt",
        "Sys.Console",
        "VM.Console",
        "VM.GuestAgent.F",
    )
    assert not [p for p in held if p.startswith(never)]
    assert {"VM.Clone", "VM.Allocate", "Datastore.AllocateSpace", "SDN.Use", "Sys.Audit"} <= held


def test_another_s_task_is_not_shown(pve: Driver) -> None:
    upid = pve.post("/nodes/pve1/qemu/9000/clone", newid=201)
    with pytest.raises(Refused) as refused:
        pve.call("GET", f"/nodes/pve1/tasks/{upid}/status", token=APPLY)
    assert refused.value.reason == "Permission check failed (/nodes/pve1, Sys.Audit)"
    assert pve.call("GET", f"/nodes/pve1/tasks/{upid}/status", token=SCAN)["type"] == "qmclone"


def test_pools_hold_guests_and_storages(pve: Driver) -> None:
    pve.post("/pools", poolid="extra", comment="more")
    pve.clone(201, name="a")
    pve.put("/pools", poolid="extra", vms="201", storage="nfs")
    pool = pve.get("/pools", poolid="extra")[0]
    assert (pool["comment"], {m["id"] for m in pool["members"]}) == ("more", {"qemu/201", "storage/pve1/nfs"})
    with pytest.raises(Refused, match="already belongs to pool"):
        pve.put("/pools", poolid="berth", vms="201")
    with pytest.raises(Refused, match="is not empty"):
        pve.delete("/pools", poolid="extra")
    pve.put("/pools", poolid="extra", vms="201", storage="nfs", delete=1)
    pve.delete("/pools", poolid="extra")
    with pytest.raises(Refused, match="does not exist"):
        pve.get("/pools/extra")
