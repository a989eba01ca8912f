"""What a plan changes and whether it may, from Terraform's JSON alone."""

from __future__ import annotations

from typing import Any

import pytest

from tools.platforms import azure, proxmox
from tools.rules.plans.changes import Allowed, assert_allowed, changes, counted, covers, half_made
from tools.values.plan import Change
from tools.values.trouble import RequestProblem

VM = "proxmox_virtual_environment_vm"


def change(actions: list[str], before: Any = None, after: Any = None, name: str = "db-01", kind: str = VM, **more: Any) -> dict[str, Any]:
    return {
        "address": f'{kind}.machine["{name}"]',
        "mode": "managed",
        "type": kind,
        "name": "machine",
        "index": name,
        "change": {"actions": actions, "before": before, "after": after, "after_unknown": {}, **more},
    }


def changed(plan_json: dict[str, Any]) -> tuple[Change, ...]:
    return changes(plan_json, proxmox.PROVIDER)


def plan(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resource_changes": list(found), "configuration": {"root_module": {}}, **more}


BEFORE = {
    "name": "db-01",
    "started": True,
    "memory": [{"dedicated": 8192}],
    "cpu": [{"cores": 2}],
    "tags": ["a"],
    "disk": [{"interface": "scsi0", "datastore_id": "ceph-vm", "size": 40, "aio": "io_uring", "discard": "on"}],
    "initialization": [{"datastore_id": "ceph-vm", "user_account": [{"username": "ops"}]}],
    "agent": [{"enabled": True}],
    "network_device": [{"vlan_id": 20}],
    "hotplug": None,
}


def with_disk(**changes: Any) -> dict[str, Any]:
    return {"disk": [BEFORE["disk"][0] | changes]}


@pytest.mark.parametrize(
    ("after", "details", "restarts"),
    [
        ({"memory": [{"dedicated": 16384}]}, ("memory.dedicated 8192 → 16384",), True),
        ({"cpu": [{"cores": 4}]}, ("cpu.cores 2 → 4",), True),
        (with_disk(size=60), ("disk.size 40 → 60",), False),
        (with_disk(discard="ignore"), ("disk.discard on → ignore",), False),
        (with_disk(aio="native"), ("disk.aio io_uring → native",), True),
        (with_disk(queues=4), ("disk.queues nothing → 4",), True),
        (with_disk(datastore_id="local-lvm"), ("disk.datastore_id ceph-vm → local-lvm",), True),
        (
            {"memory": [{"dedicated": 16384}], **with_disk(size=60)},
            ("disk.size 40 → 60", "memory.dedicated 8192 → 16384"),
            True,
        ),
        ({"agent": [{"enabled": False}]}, ("agent.enabled True → False",), True),
        (
            {"initialization": [{"datastore_id": "ceph-vm", "user_account": [{"username": "root"}]}]},
            ("initialization.user_account.username ops → root",),
            True,
        ),
        ({"serial_device": [{"device": "socket"}]}, ("serial_device.device nothing → socket",), True),
        ({"network_device": [{"vlan_id": 30}]}, ("network_device.vlan_id 20 → 30",), True),
        ({"network_device": [{"vlan_id": 20, "mtu": 1400}]}, ("network_device.mtu nothing → 1400",), False),
        ({"tags": ["b"]}, ("tags ['a'] → ['b']",), False),
        ({"description": "new"}, ("description nothing → new",), False),
    ],
)
def test_an_update_says_what_from_what_to_and_whether_it_restarts(after: dict[str, Any], details: tuple[str, ...], restarts: bool) -> None:
    found = changed(plan(change(["update"], BEFORE, {**BEFORE, **after})))
    assert found[0].details == details
    assert found[0].restarts is restarts


MORE_MEMORY = {"memory": [{"dedicated": 16384}]}


@pytest.mark.parametrize(
    ("settings", "after"),
    [
        ({"started": False}, MORE_MEMORY),
        ({}, {"started": False, **MORE_MEMORY}),
        ({"reboot_after_update": False}, MORE_MEMORY),
        ({"hotplug": "disk,memory"}, MORE_MEMORY),
        ({"hotplug": "1"}, MORE_MEMORY),
        ({"hotplug": "cpu"}, {"cpu": [{"cores": 2, "hotplugged": 1}]}),
    ],
)
def test_a_machine_is_not_restarted_when_it_is_off_stays_off_may_not_be_or_takes_it_while_it_runs(
    settings: dict[str, Any], after: dict[str, Any]
) -> None:
    before = {**BEFORE, **settings}
    assert not changed(plan(change(["update"], before, {**before, **after})))[0].restarts


@pytest.mark.parametrize(
    ("hotplug", "after"),
    [
        ("network,usb", with_disk(size=60)),
        ("0", with_disk(size=60)),
        ("disk", MORE_MEMORY),
        ("1", {"memory": [{"dedicated": 4096}]}),
        ("1", {"cpu": [{"cores": 4, "hotplugged": 1}]}),
        ("", {"memory": [{"dedicated": 16384}]}),
    ],
)
def test_what_a_machine_does_not_take_while_it_runs_restarts_it(hotplug: str, after: dict[str, Any]) -> None:
    before = {**BEFORE, "hotplug": hotplug}
    assert changed(plan(change(["update"], before, {**before, **after})))[0].restarts


def test_a_secret_value_is_not_shown() -> None:
    found = changed(plan(change(["update"], {"password": "old-secret"}, {"password": "new-secret"}, after_sensitive={"password": True})))
    assert found[0].details == ("password (secret)",)


def test_what_is_known_only_afterwards_is_not_told_as_gone() -> None:
    found = changed(plan(change(["update"], {"size": 1, "output": {"a": 1}}, {"size": 2}, after_unknown={"output": True})))
    assert found[0].details == ("size 1 → 2",)


def test_removals_come_first() -> None:
    found = changed(plan(change(["create"], name="a"), change(["delete"], BEFORE, name="b"), change(["delete", "create"], BEFORE, BEFORE)))
    assert [one.action for one in found] == ["delete", "replace", "create"]


def test_nothing_to_do_is_no_change() -> None:
    data = {**change(["read"]), "mode": "data"}
    assert changed(plan(change(["no-op"], BEFORE, BEFORE), data)) == ()


@pytest.mark.parametrize(
    ("kind", "actions", "allowed"),
    [
        ("create", ["create"], True),
        ("create", ["update"], False),
        ("create", ["delete"], False),
        ("create", ["delete", "create"], False),
        ("create", ["create", "delete"], False),
        ("create", ["forget"], False),
        ("change", ["update"], True),
        ("change", ["create"], True),
        ("change", ["delete"], False),
        ("change", ["delete", "create"], False),
        ("remove", ["delete"], True),
        ("remove", ["create"], False),
        ("remove", ["update"], False),
    ],
)
def test_which_actions_each_kind_of_plan_may_hold(kind: Any, actions: list[str], allowed: bool) -> None:
    found = plan(change(actions, BEFORE, BEFORE))
    if allowed:
        assert_allowed(found, kind, Allowed(), proxmox.PROVIDER)
    else:
        with pytest.raises(RequestProblem, match="not asked for"):
            assert_allowed(found, kind, Allowed(), proxmox.PROVIDER)


def _with_resource(**more: Any) -> dict[str, Any]:
    resource = {"address": f"{VM}.machine", "mode": "managed", "type": VM, **more}
    return plan(change(["create"], after=BEFORE), configuration={"root_module": {"resources": [resource]}})


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (plan(change(["create"], kind="null_resource")), "null_resource"),
        (_with_resource(provisioners=[{"type": "local-exec"}]), "provisioner"),
        (_with_resource(mode="data", type="external"), "external"),
        (_with_resource(mode="data", type="http"), "http"),
        (plan(configuration={"root_module": {"module_calls": {"x": {}}}}), "module"),
        (plan(configuration={"provider_config": {"p": {"full_name": "registry.terraform.io/evil/proxmox"}}}), "evil/proxmox"),
        (plan({**change(["create"]), "module_address": "module.x"}), "module.x"),
        (plan(errored=True), "failed"),
        (plan(*(change(["create"], name=f"vm-{number}") for number in range(201))), "201"),
    ],
)
def test_what_no_plan_may_hold(found: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestProblem, match=named):
        assert_allowed(found, "create", Allowed(), proxmox.PROVIDER)


def test_providers_of_ours_pass_from_either_registry() -> None:
    for registry in ("registry.terraform.io", "registry.opentofu.org"):
        names = {"p": {"full_name": f"{registry}/bpg/proxmox"}}
        found = plan(change(["create"], after=BEFORE), configuration={"provider_config": names})
        assert_allowed(found, "create", Allowed(), proxmox.PROVIDER)
        with pytest.raises(RequestProblem, match="bpg/proxmox"):
            assert_allowed(found, "create", Allowed(), azure.PROVIDER)


def tainted(kind: str = VM, reason: str = "replace_because_tainted") -> dict[str, Any]:
    return {**change(["delete", "create"], BEFORE, BEFORE), "action_reason": reason, "type": kind, "address": f"{kind}.machine"}


def only(action: str, *details: str, restarts: bool = False, address: str = "a") -> Change:
    return Change(address=address, action=action, name="db-01", details=details, restarts=restarts)  # type: ignore[arg-type]


MORE, GROWN, STARTED = "memory.dedicated 8192 → 16384", "disk.size 40 → 60", "started False → True"


@pytest.mark.parametrize(
    ("approved", "wanted", "covered"),
    [
        (only("create"), only("create"), True),
        (only("create"), only("replace", MORE), True),  # What was not finished is made anew,
        (only("create"), only("update", STARTED), True),  # or finished.
        (only("create"), only("delete"), False),
        (only("create"), only("create", address="b"), False),
        (only("update", MORE, GROWN, restarts=True), only("update", GROWN), True),
        (only("update", MORE, restarts=True), only("update", MORE, STARTED), True),  # Its Terraform died after the shutdown.
        (only("update", MORE, restarts=True), only("update", STARTED), True),  # The start failed.
        (only("update", GROWN), only("update", STARTED), False),  # Somebody else switched it off.
        (only("update", MORE, restarts=True), only("update", "memory.dedicated 4096 → 16384"), False),
        (only("update", MORE, restarts=True), only("replace", MORE), False),  # Never the machine itself.
        (only("update", MORE, restarts=True), only("delete"), False),
        (only("delete"), only("update", STARTED), False),
        (only("update", *(f"a{n} 0 → 1" for n in range(13))), only("update", *(f"a{n} 0 → 1" for n in range(12))), False),
    ],
)
def test_what_an_approval_covers_of_what_is_left(approved: Change, wanted: Change, covered: bool) -> None:
    assert covers([approved], [wanted], {"a"}, proxmox.PROVIDER.starts) is covered
    assert covers([approved], [])


def test_only_what_terraform_calls_half_made_is_made_anew() -> None:
    for provider, kind in ((proxmox.PROVIDER, VM), (azure.PROVIDER, "azapi_resource")):
        assert half_made(plan(tainted(kind)), provider) == {f"{kind}.machine"}
        assert not half_made(plan(tainted(kind, "replace_because_cannot_update")), provider)
        assert not half_made(plan(tainted("terraform_data")), provider)
        assert not covers([only("create")], [only("replace")], (), provider.starts)
        assert_allowed(plan(tainted(kind)), "change", Allowed(), provider, {("replace", f"{kind}.machine")})
        with pytest.raises(RequestProblem, match="replace"):
            assert_allowed(plan(tainted(kind)), "change", Allowed(), provider)


MADE, CHANGED = ("create", "web-01"), ("update", "web-01")


@pytest.mark.parametrize(
    ("found", "things"),
    [
        ((MADE, ("create", "firewall of web-01"), ("create", "high availability of web-01")), (MADE,)),
        ((("delete", "web-01"), ("delete", "firewall of web-01")), (("delete", "web-01"),)),
        ((CHANGED, ("create", "firewall of web-01")), (CHANGED, ("create", "firewall of web-01"))),
        ((("update", "firewall of web-01"),), (("update", "firewall of web-01"),)),
    ],
)
def test_what_comes_and_goes_with_a_machine_is_counted_with_it(
    found: tuple[tuple[str, str], ...], things: tuple[tuple[str, str], ...]
) -> None:
    made = [Change(address="a", action=action, name=name) for action, name in found]  # type: ignore[arg-type]
    act = Change(address="b", action="create", name="firewall of web-02", act=True)
    assert tuple((one.action, one.name) for one in counted([*made, act])) == things
