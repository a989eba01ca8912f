"""Flexible servers: what Azure refuses, by code, and a server that is made, asked for, grown and taken away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure_site import Direct

RG = "{sub}/resourceGroups/rg"
NET = f"{RG}/providers/Microsoft.Network"
SERVERS = f"{RG}/providers/Microsoft.DBforPostgreSQL/flexibleServers"
TYPE = "Microsoft.DBforPostgreSQL/flexibleServers"
ZONE = f"{NET}/privateDnsZones/psql-x.private.postgres.database.azure.com"
GROUP = "0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c"


def server(azure: Direct, **changed: Any) -> dict[str, Any]:
    """A body that is taken; `changed` are properties, or `sku` and `location` of the body itself."""
    properties: dict[str, Any] = {
        "version": "17",
        "storage": {"storageSizeGB": 32},
        "authConfig": {
            "activeDirectoryAuth": "Enabled",
            "passwordAuth": "Disabled",
            "tenantId": azure.part.cloud.world.tenant.id,
        },
        "network": {
            "delegatedSubnetResourceId": f"{NET}/virtualNetworks/vn/subnets/db",
            "privateDnsZoneArmResourceId": ZONE,
        },
    }
    body = {"location": "eastus", "sku": {"name": "Standard_D2s_v3", "tier": "GeneralPurpose"}, "properties": properties}
    for name, value in changed.items():
        (body if name in body else properties)[name] = value
    return body


@pytest.fixture
def azure(azure: Direct) -> Direct:
    """With a network that has delegated and other subnets, and zones that serve and do not."""
    delegation = [{"name": "db", "properties": {"serviceName": TYPE}}]
    subnets = {"db": ("10.1.0.0/28", delegation), "small": ("10.1.0.16/29", delegation), "plain": ("10.1.1.0/24", [])}
    azure.make(f"{NET}/virtualNetworks/vn", location="eastus", properties={"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}})
    for name, (prefix, delegations) in subnets.items():
        azure.make(f"{NET}/virtualNetworks/vn/subnets/{name}", properties={"addressPrefix": prefix, "delegations": delegations})
    for zone in (ZONE, f"{NET}/privateDnsZones/example.org", f"{NET}/privateDnsZones/psql-x.postgres.database.azure.com"):
        azure.make(zone, location="global")
    return azure


def network(subnet: str = "db", zone: str = ZONE) -> dict[str, str]:
    return {"delegatedSubnetResourceId": f"{NET}/virtualNetworks/vn/subnets/{subnet}", "privateDnsZoneArmResourceId": zone}


@pytest.mark.parametrize(
    ("name", "changed", "status", "code"),
    [
        ("PSQL-X", {}, 400, "InvalidServerName"),
        ("ab", {}, 400, "InvalidServerName"),
        ("psql-data", {}, 409, "ServerNameAlreadyExists"),
        ("psql-x", {"sku": {"name": "Standard_D2s_v9", "tier": "GeneralPurpose"}}, 400, "InvalidParameterValue"),
        ("psql-x", {"sku": {"name": "Standard_B2s", "tier": "GeneralPurpose"}}, 400, "InvalidParameterValue"),
        ("psql-x", {"version": "10"}, 400, "InvalidParameterValue"),
        ("psql-x", {"storage": {"storageSizeGB": 100}}, 400, "InvalidParameterValue"),
        ("psql-x", {"authConfig": {"passwordAuth": "Disabled"}}, 400, "InvalidParameterValue"),
        ("psql-x", {"authConfig": {"passwordAuth": "Enabled"}}, 400, "InvalidParameterValue"),
        ("psql-x", {"network": network("plain")}, 400, "InvalidSubnetDelegation"),
        ("psql-x", {"network": network("small")}, 400, "InvalidSubnetSize"),
        ("psql-x", {"network": network("none")}, 400, "InvalidParameterValue"),
        ("psql-x", {"network": network(zone="")}, 400, "InvalidParameterValue"),
        ("psql-x", {"network": network(zone=f"{NET}/privateDnsZones/example.org")}, 400, "PrivateDnsZoneNameNotValid"),
        (
            "psql-x",
            {"network": network(zone=f"{NET}/privateDnsZones/psql-x.postgres.database.azure.com")},
            400,
            "PrivateDnsZoneNameNotValid",
        ),
        (
            "psql-x",
            {"sku": {"name": "Standard_B2s", "tier": "Burstable"}, "highAvailability": {"mode": "ZoneRedundant"}},
            400,
            "HighAvailabilityNotSupported",
        ),
        ("psql-x", {"backup": {"backupRetentionDays": 3}}, 400, "InvalidParameterValue"),
    ],
)
def test_what_is_refused(azure: Direct, name: str, changed: dict[str, Any], status: int, code: str) -> None:
    answer = azure.ask("PUT", f"{SERVERS}/{name}", server(azure, **changed))
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == (status, code), error["message"]


def test_a_server_is_made_grown_and_taken_away(azure: Direct) -> None:
    path = f"{SERVERS}/psql-x"
    azure.make(path, **server(azure, highAvailability={"mode": "ZoneRedundant"}))
    made = azure.json("GET", path)["properties"]
    assert made["fullyQualifiedDomainName"] == "psql-x.postgres.database.azure.com"
    assert (made["state"], made["network"]["publicNetworkAccess"]) == ("Ready", "Disabled")
    azure.make(f"{path}/databases/app", properties={"charset": "UTF8"})
    azure.make(f"{path}/administrators/{GROUP}", properties={"principalName": "dba", "principalType": "Group"})
    azure.make(f"{path}/configurations/log_connections", properties={"value": "on", "source": "user-override"})
    assert azure.json("PUT", f"{path}/configurations/no_such", {"properties": {}})["error"]["code"] == "ConfigurationNotExists"
    assert azure.ask("DELETE", f"{path}/configurations/log_connections").status == 405
    azure.make(path, **server(azure, storage={"storageSizeGB": 64}))
    for changed in ({"storage": {"storageSizeGB": 32}}, {"version": "16", "storage": {"storageSizeGB": 64}}):
        assert azure.json("PUT", path, server(azure, **changed))["error"]["code"] == "InvalidParameterValue"
    held = azure.json("DELETE", f"{NET}/virtualNetworks/vn/subnets/db")["error"]["code"]
    assert held == "InUseSubnetCannotBeDeleted"
    asked = {"name": "psql-x", "type": TYPE}
    there = azure.json("POST", "{sub}/providers/Microsoft.DBforPostgreSQL/checkNameAvailability", asked)
    assert there["nameAvailable"] is False
    assert azure.ask("DELETE", path).status in (200, 202)
    assert azure.json("POST", "{sub}/providers/Microsoft.DBforPostgreSQL/checkNameAvailability", asked)["nameAvailable"] is True


@pytest.mark.parametrize(
    ("path", "properties", "status"),
    [
        ("configurations/max_connections", {"value": "200"}, 202),
        ("configurations/max_connections", {"value": "24"}, 400),
        ("configurations/max_connections", {"value": "5001"}, 400),
        ("configurations/max_connections", {"value": "many"}, 400),
        ("configurations/max_connections", {"value": 200}, 400),
        ("configurations/log_connections", {"value": "true"}, 400),
        ("configurations/log_statement", {"value": "ddl"}, 202),
        ("configurations/log_statement", {"value": "some"}, 400),
        ("configurations/listen_addresses", {"value": "*"}, 400),
        ("configurations/no_such", {"value": "on"}, 400),
        ("firewallRules/office_1", {"startIpAddress": "192.0.2.1", "endIpAddress": "192.0.2.1"}, 202),
        ("firewallRules/an office", {"startIpAddress": "192.0.2.1", "endIpAddress": "192.0.2.1"}, 400),
        (f"firewallRules/{'a' * 129}", {"startIpAddress": "192.0.2.1", "endIpAddress": "192.0.2.1"}, 400),
        ("firewallRules/office", {"startIpAddress": "192.0.2.2", "endIpAddress": "192.0.2.1"}, 400),
    ],
)
def test_a_setting_is_of_its_type_and_a_rule_has_a_name(azure: Direct, path: str, properties: dict[str, Any], status: int) -> None:
    azure.make(f"{SERVERS}/psql-x", **server(azure, network={}))
    assert azure.ask("PUT", f"{SERVERS}/psql-x/{path}", {"properties": properties}).status == status


@pytest.mark.parametrize(
    ("size", "tier", "most"),
    [
        ("B1ms", "Burstable", "50"),
        ("B2s", "Burstable", "429"),
        ("B4ms", "Burstable", "1718"),
        ("D2s_v3", "GeneralPurpose", "859"),
        ("D8ds_v5", "GeneralPurpose", "3437"),
        ("E2ds_v5", "MemoryOptimized", "1718"),
        ("E20ds_v4", "MemoryOptimized", "5000"),
    ],
)
def test_connections_are_by_the_size_that_it_was_made_in(azure: Direct, size: str, tier: str, most: str) -> None:
    path = f"{SERVERS}/psql-x"
    azure.make(path, **server(azure, sku={"name": f"Standard_{size}", "tier": tier}))
    made = azure.json("GET", f"{path}/configurations/max_connections")["properties"]
    assert (made["value"], made["dataType"], made["allowedValues"], made["isDynamicConfig"]) == (most, "Integer", "25-5000", False)
    azure.make(path, **server(azure, sku={"name": "Standard_D16s_v3", "tier": "GeneralPurpose"}))
    assert azure.json("GET", f"{path}/configurations/max_connections")["properties"]["value"] == most
    azure.make(f"{path}/configurations/max_connections", properties={"value": "30"})
    told = azure.json("GET", f"{path}/configurations/max_connections")["properties"]
    assert (told["value"], told["defaultValue"], told["source"], told["isConfigPendingRestart"]) == ("30", most, "user-override", True)


def test_one_zone_carries_no_second(azure: Direct) -> None:
    azure.part.cloud.world.regions["eastus"]["zones"] = False
    try:
        refused = azure.json("PUT", f"{SERVERS}/psql-x", server(azure, highAvailability={"mode": "ZoneRedundant"}))
    finally:
        azure.part.cloud.world.regions["eastus"]["zones"] = True
    assert refused["error"]["code"] == "ZoneRedundantHighAvailabilityNotSupported"
