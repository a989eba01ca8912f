"""A network is asked for, made on every node, used, and taken away when nobody is on it any more."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server


def call(berth: Berth, method: str, path: str, **values: Any) -> Any:
    given = {**os.environ, **berth.environment}
    token, address = given["PROXMOX_VE_API_TOKEN"], f"{given['PROXMOX_VE_ENDPOINT']}/api2/json{path}"
    asked = requests.request(
        method, address, data=values, headers={"Authorization": f"PVEAPIToken={token}"}, verify=given["BERTH_CA_FILE"], timeout=30
    )
    asked.raise_for_status()
    return asked.json()["data"]


def test_a_network_is_made_used_and_removed(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("make a VLAN 60 network called lab60 in zone z60, 10.0.60.0/24, gateway 10.0.60.1")
    assert chat.changes == {"create": 6}, planned.text
    assert chat.roles == {"operator", "confirm vnet"}
    chat.say(f"approve {chat.open_digest} as operator")
    assert "lab60" not in {row["vnet"] for row in call(berth, "GET", "/cluster/sdn/vnets")}, "it waits for its own confirmation"
    done = chat.say(f"confirm {chat.open_digest} vnet")
    assert chat.run.status == "done", done.text
    assert [re.sub(r" in \d+ s$", "", said) for said in re.findall(r"apply: (created .*?)\s*$", done.text, re.MULTILINE)] == [
        "created z60",
        "created lab60",
        "created 10.0.60.0/24",
    ]
    running = {row["vnet"]: row for row in call(berth, "GET", "/cluster/sdn/vnets?running=1")}
    assert (running["lab60"]["zone"], running["lab60"]["tag"]) == ("z60", 60)
    assert not [row for row in call(berth, "GET", "/cluster/sdn/vnets?pending=1") if "state" in row]
    assert chat.run.receipt is not None and len(chat.run.receipt.parts[0].verified) == 1

    other = berth.chat()
    other.say("a VM with 2 cores, 4 GB and 20 GB for development on network lab60, address 10.0.60.5")
    assert [(m.bridge, m.address) for m in other.machines] == [("lab60", "10.0.60.5/24")]
    other.say("no")
    other.say("a VM with 2 cores, 4 GB and 20 GB for development on lab60, address 10.0.60.6")
    assert [(m.bridge, m.address) for m in other.machines] == [("lab60", "10.0.60.6/24")], "the cluster knows that lab60 is no node"
    other.say("no")

    call(berth, "PUT", "/nodes/pve1/qemu/100/config", net1="virtio,bridge=lab60")
    refused = chat.say("remove it")
    assert not chat.open_digest and "VM 100" in refused.text
    call(berth, "PUT", "/nodes/pve1/qemu/100/config", delete="net1")
    chat.say("remove it")
    chat.say(f"approve {chat.open_digest} as operator")
    chat.say(f"confirm {chat.open_digest} vnet")
    assert chat.run.status == "removed"
    assert "lab60" not in {row["vnet"] for row in call(berth, "GET", "/cluster/sdn/vnets?running=1")}
    assert "z60" not in {row["zone"] for row in call(berth, "GET", "/cluster/sdn/zones?pending=1")}


WRITTEN: list[tuple[str, dict[str, Any]]] = [
    ("zones", {"zone": "z60", "type": "vlan", "bridge": "vmbr0"}),
    ("vnets", {"vnet": "lab60", "zone": "z60", "tag": 60}),
    ("vnets/lab60/subnets", {"subnet": "10.0.60.0/24", "type": "subnet", "gateway": "10.0.60.1"}),
]
"""What the plan writes down, as a provider that is killed before it tells leaves it."""


@pytest.mark.systems
@pytest.mark.parametrize(("killed_at", "way_on"), [(0, "retry"), (1, "retry"), (2, "retry"), (1, "roll back"), (0, "leave")])
def test_what_was_written_down_and_not_recorded_is_carried_on_or_taken_out(tmp_path: Path, killed_at: int, way_on: str) -> None:
    path, values = WRITTEN[killed_at]
    gap = {"when": f"POST /cluster/sdn/{path}", "nth": 1, "status": 500, "reason": "the connection was lost"}
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": {"faults": [gap]}}))
    with world([str(file)], tmp_path / "world", guests="none") as ready:
        given = environment(ready, tmp_path) | {"BERTH_HOME": str(tmp_path / "home")}
        with api_server(given, tmp_path / "api_server.log") as berth:
            chat = berth.chat()
            chat.say("make a VLAN 60 network called lab60 in zone z60, 10.0.60.0/24, gateway 10.0.60.1")
            chat.say(f"approve {chat.open_digest} as operator")
            stopped = chat.say(f"confirm {chat.open_digest} vnet")
            assert chat.run.status == "stopped", stopped.text
            call(berth, "POST", f"/cluster/sdn/{path}", **values)
            went_on = chat.say(way_on)
            if way_on == "retry":
                assert chat.run.status == "done", went_on.text
                assert "lab60" in {row["vnet"] for row in call(berth, "GET", "/cluster/sdn/vnets?running=1")}
            chat.say(f"remove {chat.run.id}") if way_on != "roll back" else None
            chat.say(f"approve {chat.open_digest} as operator")
            gone = chat.say(f"confirm {chat.open_digest} vnet")
            assert chat.run.status == "removed", gone.text
            assert not [row for row in call(berth, "GET", "/cluster/sdn/zones?pending=1") if row["zone"] == "z60"]
            assert not [row for row in call(berth, "GET", "/cluster/sdn/vnets?pending=1") if row["vnet"] == "lab60"]
