"""Users, groups and access lists are made, changed and removed, in Proxmox's own words where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.proxmox.access import Grant, Who
from cluster_sim.proxmox.saving import restore, save
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import BERTH, SCAN, Driver, Refused

PASSWORD = "long enough"


@pytest.fixture
def pve(four_nodes: World) -> Driver:
    pve = Driver(four_nodes)
    pve.cluster.access.grants.append(Grant("/", "berth@pve", "Administrator"))
    return pve


def acl(pve: Driver, path: str, **form: Any) -> None:
    pve.call("PUT", "/access/acl", {"path": path, **form})


def test_a_user_in_a_group_may_what_the_group_may_until_it_is_taken_away(pve: Driver) -> None:
    pve.post("/access/groups", groupid="ops", comment="Operators")
    pve.post("/access/users", userid="jan@pve", password=PASSWORD, groups="ops", email="jan@example.org", expire=4_000_000_000)
    assert pve.get("/access/groups/ops") == {"members": ["jan@pve"], "comment": "Operators"}
    assert {"groupid": "ops", "users": "jan@pve", "comment": "Operators"} in pve.get("/access/groups")
    told = pve.get("/access/users/jan@pve")
    assert (told["groups"], told["email"], told["expire"]) == (["ops"], "jan@example.org", 4_000_000_000)

    def may() -> bool:
        return pve.cluster.access.may(Who("jan@pve"), "/vms/110", "VM.Audit")

    assert not may()
    acl(pve, "vms//110/", groups="ops", roles="PVEVMUser")
    assert may()
    assert {"path": "/vms/110", "type": "group", "ugid": "ops", "roleid": "PVEVMUser", "propagate": 1} in pve.get("/access/acl")
    acl(pve, "/vms/110", groups="ops", roles="PVEVMUser", delete=1)
    assert not may()
    acl(pve, "/vms/110", groups="ops", roles="PVEVMUser")
    pve.put("/access/users/jan@pve", groups="", comment="left")
    assert not may() and pve.get("/access/users/jan@pve")["comment"] == "left"


def test_what_is_removed_leaves_no_rights_behind(pve: Driver) -> None:
    pve.post("/access/groups", groupid="ops")
    pve.post("/access/users", userid="jan@pve", groups="ops")
    acl(pve, "/", users="jan@pve", groups="ops", roles="PVEAuditor")
    pve.delete("/access/users/jan@pve")
    pve.delete("/access/groups/ops")
    assert [one for one in pve.get("/access/acl") if one["ugid"] in ("jan@pve", "ops")] == []
    assert "ops" not in {one["groupid"] for one in pve.get("/access/groups")}


@pytest.mark.parametrize(
    ("method", "path", "form", "status", "words"),
    [
        ("POST", "/access/users", {"userid": "berth@pve"}, 500, "create user failed: user 'berth@pve' already exists"),
        ("POST", "/access/users", {"userid": "jan@pve", "groups": "none"}, 500, "create user failed: no such group 'none'"),
        ("POST", "/access/users", {"userid": "a@ldap", "password": PASSWORD}, 500, "create user failed: auth domain 'ldap' does not exist"),
        ("POST", "/access/users", {"userid": "jan"}, 400, "Parameter verification failed."),
        ("POST", "/access/users", {"userid": "jan@pve", "password": "short"}, 400, "Parameter verification failed."),
        ("PUT", "/access/users/berth@pve", {"append": 1}, 400, "Parameter verification failed."),
        ("PUT", "/access/users/jan@pve", {"comment": "a"}, 500, "no such user ('jan@pve')"),
        ("DELETE", "/access/users/jan@pve", {}, 500, "no such user ('jan@pve')"),
        ("DELETE", "/access/groups/none", {}, 500, "delete group failed: group 'none' does not exist"),
        ("GET", "/access/groups/none", {}, 500, "group 'none' does not exist"),
        ("PUT", "/access/acl", {"path": "/", "roles": "PVEAuditor"}, 400, "Parameter verification failed."),
        ("PUT", "/access/acl", {"path": "/nowhere", "roles": "PVEAuditor", "users": "berth@pve"}, 400, "Parameter verification failed."),
        ("PUT", "/access/acl", {"path": "/", "roles": "None", "users": "berth@pve"}, 500, "ACL update failed: role 'None' does not exist"),
        (
            "PUT",
            "/access/acl",
            {"path": "/", "roles": "PVEAuditor", "users": "a@pve"},
            500,
            "ACL update failed: user 'a@pve' does not exist",
        ),
        (
            "PUT",
            "/access/acl",
            {"path": "/", "roles": "PVEAuditor", "tokens": "berth@pve!none"},
            500,
            "ACL update failed: no such token 'none' for user 'berth@pve'",
        ),
    ],
)
def test_what_cannot_be_is_refused(pve: Driver, method: str, path: str, form: dict[str, Any], status: int, words: str) -> None:
    with pytest.raises(Refused) as refused:
        pve.call(method, path, form)
    assert (refused.value.status, refused.value.reason) == (status, words)


def test_whoever_may_make_machines_hands_out_no_more_than_they_hold(four_nodes: World) -> None:
    pve = Driver(four_nodes)
    acl(pve, "/vms/110", users="scan@pve", roles="BerthAll")
    for path, role in (("/vms/110", "Administrator"), ("/vms/110", "NoAccess")):
        with pytest.raises(Refused) as refused:
            acl(pve, path, users="scan@pve", roles=role)
        assert refused.value.errors == {"role": f"Cannot add role '{role}' - requires 'Permissions.Modify' or superset of privileges."}
    for call in (
        ("PUT", "/access/acl", {"path": "/", "users": "scan@pve", "roles": "BerthAll"}),
        ("POST", "/access/users", {"userid": "a@pve"}),
    ):
        with pytest.raises(Refused) as refused:
            pve.call(*call)
        assert refused.value.status == 403


@pytest.mark.parametrize(
    ("method", "asked", "form", "refused"),
    [
        ("PUT", "/access/users/scan@pve", {"groups": "team"}, ""),
        ("PUT", "/access/users/jan@pve", {"groups": "team", "append": 1}, ""),
        ("PUT", "/access/users/jan@pve", {"groups": "admins,team"}, " (/access/groups/admins, User.Modify)"),
        ("PUT", "/access/users/scan@pve", {"groups": "admins"}, " (/access/groups/admins, User.Modify)"),
        ("PUT", "/access/users/scan@pve", {"groups": "none"}, " (/access/groups/none, User.Modify)"),
        ("PUT", "/access/users/scan@pve", {"comment": "a"}, " (/access/groups, User.Modify)"),
        ("PUT", "/access/users/berth@pve", {"groups": "team"}, "."),
        ("POST", "/access/users", {"userid": "eve@pve", "groups": "team"}, ""),
        ("POST", "/access/users", {"userid": "eve@pve", "groups": "admins"}, " (/access/groups/admins, User.Modify)"),
        ("POST", "/access/users", {"userid": "eve@pve"}, " (/access/groups, User.Modify)"),
        ("GET", "/access/users/jan@pve", {}, ""),
        ("GET", "/access/users/berth@pve", {}, "."),
        ("GET", "/access/users/scan@pve/token", {}, ""),
        ("GET", "/access/users/berth@pve/token", {}, "."),
        ("DELETE", "/access/users/jan@pve", {}, ""),
        ("DELETE", "/access/users/berth@pve", {}, "."),
    ],
)
def test_whoever_leads_one_group_puts_nobody_into_another(pve: Driver, method: str, asked: str, form: dict[str, Any], refused: str) -> None:
    """Neither others nor itself: with User.Modify on its own group a token would else make itself an administrator."""
    for group in ("admins", "team"):
        pve.post("/access/groups", groupid=group)
    acl(pve, "/", groups="admins", roles="Administrator")
    pve.post("/access/users", userid="jan@pve", groups="team")
    pve.put("/access/users/scan@pve", groups="team")
    pve.cluster.access.grants[:] = [one for one in pve.cluster.access.grants if one.to.partition("!")[0] != "scan@pve"]
    for path in ("/access/groups/team", "/access/realm/pve"):
        acl(pve, path, users="scan@pve", tokens="scan@pve!scan", roles="PVEUserAdmin")
    answer = pve.answer(method, asked, form, token=SCAN)
    assert answer.status == (403 if refused else 200)
    assert not refused or answer.reason == f"Permission check failed{refused.rstrip('.')}"


def test_a_user_who_is_switched_off_or_whose_time_is_over_is_nobody(pve: Driver) -> None:
    for change in ({"enable": 0}, {"enable": 1, "expire": int(pve.clock.now()) - 1}):
        pve.put("/access/users/berth@pve", **change)
        assert pve.answer("GET", "/version", token=BERTH).status == 401
        pve.cluster.access.users["berth@pve"].enabled, pve.cluster.access.users["berth@pve"].expires_at = True, 0


def test_they_are_kept_when_a_world_is_stopped_and_taken_up_again(pve: Driver, four_nodes: World, tmp_path: Path) -> None:
    pve.post("/access/groups", groupid="ops", comment="Operators")
    pve.post("/access/users", userid="jan@pve", password=PASSWORD, groups="ops")
    acl(pve, "/vms/110", users="jan@pve", roles="PVEVMUser", propagate=0)
    assert four_nodes.proxmox is not None
    save(pve.cluster, four_nodes.proxmox, tmp_path / "saved.json")
    again = Driver(four_nodes)
    assert restore(again.cluster, four_nodes.proxmox, tmp_path / "saved.json")
    assert again.cluster.access == pve.cluster.access
    old = json.loads((tmp_path / "saved.json").read_text())
    del old["access"]
    (tmp_path / "saved.json").write_text(json.dumps(old))
    assert restore(Driver(four_nodes).cluster, four_nodes.proxmox, tmp_path / "saved.json"), "one that was saved before there were any"
