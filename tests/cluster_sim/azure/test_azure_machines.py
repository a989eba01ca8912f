"""Virtual machines: what Azure refuses, by code, and one that is made, looked at, resized and taken away with its disk."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from azure_site import Direct

from cluster_sim.azure.machines import Machines
from cluster_sim.guests.none import NoBodies

RG = "{sub}/resourceGroups/rg"
NET = f"{RG}/providers/Microsoft.Network"
NIC = f"{NET}/networkInterfaces/nic-a"
COMPUTE = f"{RG}/providers/Microsoft.Compute"
VM = f"{COMPUTE}/virtualMachines/vm-a"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5b8o0lNf0dJ0b1qzO3m2n5r7t9v1x3z5b7d9f1h3j5 me@host"


def machine(**changed: Any) -> dict[str, Any]:
    """A body that is taken; `changed` are values by their path: `osProfile.adminUsername`, or `zones` of the body itself."""
    ssh = {"publicKeys": [{"path": "/home/berth/.ssh/authorized_keys", "keyData": KEY}]}
    body: dict[str, Any] = {
        "location": "eastus",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}},
            "storageProfile": {
                "imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
                "osDisk": {"createOption": "FromImage", "diskSizeGB": 64, "deleteOption": "Delete"},
            },
            "osProfile": {
                "computerName": "vm-a",
                "adminUsername": "berth",
                "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": ssh},
            },
            "networkProfile": {"networkInterfaces": [{"id": NIC}]},
        },
    }
    for path, value in changed.items():
        *steps, last = path.split(".")
        inner = body if not steps and path in ("zones", "location") else body["properties"]
        for step in steps:
            inner = inner[step]
        inner[last] = value
    return body


@pytest.fixture
def azure(azure: Direct) -> Direct:
    azure.make(f"{NET}/virtualNetworks/vn", location="eastus", properties={"addressSpace": {"addressPrefixes": ["10.1.0.0/24"]}})
    azure.make(f"{NET}/virtualNetworks/vn/subnets/s", properties={"addressPrefix": "10.1.0.0/28"})
    for name in ("a", "b"):
        subnet = {"properties": {"subnet": {"id": f"{NET}/virtualNetworks/vn/subnets/s"}}, "name": "one"}
        azure.make(f"{NET}/networkInterfaces/nic-{name}", location="eastus", properties={"ipConfigurations": [subnet]})
    return azure


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"osProfile.adminUsername": "admin"}, "InvalidParameter"),
        ({"osProfile.linuxConfiguration": {"disablePasswordAuthentication": True}}, "InvalidParameter"),
        (
            {"storageProfile.imageReference": {"publisher": "Debian", "offer": "debian-9", "sku": "9", "version": "latest"}},
            "PlatformImageNotFound",
        ),
        ({"storageProfile.imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest"}}, "BadRequest"),
        ({"storageProfile.osDisk": {"createOption": "FromImage", "diskSizeGB": 20}}, "InvalidParameter"),
        ({"securityProfile": {"uefiSettings": {"secureBootEnabled": True}}}, "InvalidParameter"),
        ({"storageProfile.dataDisks": [{"lun": n, "createOption": "Empty", "diskSizeGB": 8} for n in range(5)]}, "OperationNotAllowed"),
        ({"storageProfile.dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 8}] * 2}, "InvalidParameter"),
        ({"storageProfile.dataDisks": [{"lun": 0, "createOption": "Empty"}]}, "InvalidParameter"),
        (
            {"storageProfile.dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 4096, "caching": "ReadOnly"}]},
            "InvalidParameter",
        ),
        ({"storageProfile.osDisk": {"createOption": "FromImage", "diskSizeGB": 5000}}, "InvalidParameter"),
        ({"networkProfile": {}}, "InvalidParameter"),
        ({"networkProfile": {"networkInterfaces": [{"id": f"{NET}/networkInterfaces/nic-x"}]}}, "InvalidResourceReference"),
        ({"hardwareProfile": {"vmSize": "Standard_X9"}}, "SkuNotAvailable"),
        ({"hardwareProfile": {"vmSize": "Standard_NC40ads_H100_v5"}}, "OperationNotAllowed"),
    ],
)
def test_what_azure_refuses(azure: Direct, changed: dict[str, Any], code: str) -> None:
    answer = azure.ask("PUT", VM, machine(**changed))
    assert (answer.status >= 400, json.loads(answer.body)["error"]["code"]) == (True, code)


@pytest.mark.parametrize(
    "key",
    [
        "ssh-ed25519 AAAA",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY=",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQ==",
        "x",
    ],
)
def test_only_rsa_and_ed25519_keys_are_taken(azure: Direct, key: str) -> None:
    body = machine()
    body["properties"]["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] = key
    assert azure.json("PUT", VM, body)["error"]["code"] == "InvalidParameter"


def test_a_machine_is_made_resized_and_taken_away_with_its_disk(azure: Direct) -> None:
    azure.make(VM, **machine(zones=["1"]))
    made = azure.json("GET", VM)["properties"]
    disk = made["storageProfile"]["osDisk"]["managedDisk"]["id"]
    assert azure.json("GET", disk)["properties"]["diskSizeGB"] == 64
    view = azure.json("GET", f"{VM}/instanceView")
    assert "PowerState/running" in [one["code"] for one in view["statuses"]]
    assert azure.json("GET", VM, **{"$expand": "instanceView"})["properties"]["instanceView"] == view
    assert "instanceView" not in made
    addresses = [azure.json("GET", f"{NET}/networkInterfaces/nic-{one}")["properties"]["ipConfigurations"][0] for one in "ab"]
    assert [one["properties"]["privateIPAddress"] for one in addresses] == ["10.1.0.4", "10.1.0.5"]
    azure.make(VM, **machine(zones=["1"], hardwareProfile={"vmSize": "Standard_D4s_v5"}))
    assert azure.json("GET", VM)["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"] == disk
    for changed, code in (
        ({"osProfile.adminUsername": "other"}, "InvalidParameter"),  # the key's path is another's then
        ({"osProfile.computerName": "vm-b"}, "PropertyChangeNotAllowed"),
        ({"storageProfile.osDisk": {"createOption": "FromImage", "diskSizeGB": 128}}, "OperationNotAllowed"),
        ({"zones": ["2"]}, "ResourcePropertyChangeNotAllowed"),
    ):
        assert azure.json("PUT", VM, machine(**{"zones": ["1"], **changed}))["error"]["code"] == code
    assert azure.json("PUT", f"{COMPUTE}/virtualMachines/vm-b", machine())["error"]["code"] == "NicInUse"
    assert azure.json("DELETE", NIC)["error"]["code"] == "NicInUse"
    assert azure.ask("DELETE", VM).status in (200, 202)
    assert azure.ask("GET", disk).status == 404
    assert azure.ask("DELETE", NIC).status in (200, 202, 204)


HUB = f"{NET}/virtualNetworks/hub"
NETWORK = f"{NET}/virtualNetworks/vn"


def peering(azure: Direct, one: str, other: str) -> None:
    azure.make(f"{one}/virtualNetworkPeerings/p", properties={"remoteVirtualNetwork": {"id": other}})


@pytest.mark.parametrize(
    ("there", "back", "rule", "met"),
    [
        (True, True, {}, True),
        (True, False, {}, False),
        (False, False, {}, False),
        (True, True, {"access": "Deny"}, False),
        (True, True, {"access": "Deny", "destinationPortRange": "80"}, True),
        (True, True, {"access": "Allow", "sourceAddressPrefix": "VirtualNetwork"}, True),
        (True, True, {"access": "Deny", "sourceAddressPrefix": "10.0.0.0/8"}, False),
    ],
)
def test_a_machine_is_met_where_a_packet_would_come_through(
    azure: Direct, there: bool, back: bool, rule: dict[str, str], met: bool
) -> None:
    azure.make(HUB, location="eastus", properties={"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}})
    said = {"priority": 100, "direction": "Inbound", "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*"}
    said |= {"destinationAddressPrefix": "*", "destinationPortRange": "22"} | rule
    rules = [{"name": "one", "properties": said}] if rule else []
    azure.make(f"{NET}/networkSecurityGroups/g", location="eastus", properties={"securityRules": rules})
    group = {"networkSecurityGroup": {"id": f"{NET}/networkSecurityGroups/g"}}
    azure.make(f"{NETWORK}/subnets/s", properties={"addressPrefix": "10.1.0.0/28", **group})
    for wanted, one, other in ((there, HUB, NETWORK), (back, NETWORK, HUB)):
        if wanted:
            peering(azure, one, other)
    azure.make(VM, **machine())
    bodies = NoBodies()
    hub = HUB.replace("{sub}", f"/subscriptions/{azure.subscription}")
    machines = Machines(replace(azure.part.cloud, world=replace(azure.part.cloud.world, operator_network=hub)), bodies)
    machines.follow()
    assert len(bodies.running()) == met
    azure.ask("DELETE", VM)
    machines.follow()
    assert bodies.running() == ()
