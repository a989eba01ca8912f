"""Real Terraform makes, changes and removes a VM through the stand-in, which plans and calls what the released provider does."""

from __future__ import annotations

from typing import Any

from tests.cluster_sim.mirror.harness import ServedCluster, recorded
from tests.cluster_sim.mirror.machines import REQUIRED, recorded_machine

ADDRESS = "proxmox_virtual_environment_vm.db"


def test_the_life_of_the_recorded_machine(make_folder: Any, served: ServedCluster) -> None:
    folder = make_folder(REQUIRED + recorded_machine(), **served.settings)
    folder.terraform("init")
    folder.terraform("validate")
    folder.terraform("plan", "-out=plan")
    assert not served.cluster.calls, "planning a new machine asks the cluster nothing"
    change = folder.json("show", "-json", "plan")["resource_changes"][0]["change"]
    planned = recorded("bpg-proxmox")["proxmox_virtual_environment_vm"]["planned_on_create"]
    assert change["after"] == planned["after"]
    assert change["after_unknown"] == planned["after_unknown"]

    calls = recorded("bpg-proxmox-calls")
    folder.terraform("apply", "plan")
    assert seen(served) == expected(calls["create"])
    state = folder.json("show", "-json")["values"]["root_module"]["resources"][0]["values"]
    assert state["ipv4_addresses"] == [["127.0.0.1"], ["10.20.0.101"]]
    assert state["network_interface_names"] == ["lo", "eth0"]
    assert state["mac_addresses"] == ["00:00:00:00:00:00", "BC:24:11:00:00:65"]

    folder.terraform("plan", "-detailed-exitcode")
    assert seen(served) == expected(calls["refresh"])

    (folder.path / "main.tf").write_text(REQUIRED + recorded_machine(memory_mib=16384, disk_gib=60))
    assert "1 to change" in folder.terraform("apply", "-auto-approve")
    assert seen(served) == expected(calls["update"])
    folder.terraform("plan", "-detailed-exitcode")
    assert seen(served) == expected(calls["refresh"])

    folder.terraform("destroy", "-auto-approve")
    assert seen(served) == expected(calls["destroy"])
    assert list(served.cluster.vms) == [9000]


def seen(served: ServedCluster) -> list[Any]:
    """The calls since the last look, in the recording's form."""
    calls = [(method, _without_upid(path), values) for method, path, values in served.cluster.calls]
    served.cluster.calls.clear()
    return _settled(calls)


def expected(calls: list[dict[str, Any]]) -> list[Any]:
    return _settled([(c["method"], c["path"], c.get("form") or c.get("query") or {}) for c in calls])


def _without_upid(path: str) -> str:
    return "/nodes/pve1/tasks/<UPID>/status" if "/tasks/" in path else path


def _settled(calls: list[Any]) -> list[Any]:
    """Looking once more is no other call: the recorder's world was slower than ours."""
    return [call for index, call in enumerate(calls) if index == 0 or call != calls[index - 1] or call[0] != "GET"]
