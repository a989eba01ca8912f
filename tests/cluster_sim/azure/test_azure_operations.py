"""Time and trouble: slow operations, faults from the world file, paging, and a world taken up again after a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azapi_steps import poll
from azure_site import Direct, direct, section

RG = "{sub}/resourceGroups/rg"
VNET = f"{RG}/providers/Microsoft.Network/virtualNetworks/vnet-a"
OAI = f"{RG}/providers/Microsoft.CognitiveServices/accounts/oai"
BODY = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}
ACCOUNT = {"location": "eastus", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {"customSubDomainName": "oai-x1"}}


def world(**change: Any) -> Direct:
    azure = direct(section() | change)
    azure.make(RG, location="eastus")
    return azure


def local(url: str) -> str:
    return url.removeprefix("https://localhost:4443").split("?")[0]


def test_an_operation_takes_its_time_and_is_told() -> None:
    azure = world(operation_s=30, retry_after_s=5)
    started = azure.ask("PUT", VNET, BODY)
    assert (started.status, started.headers["Retry-After"]) == (201, "5")
    assert json.loads(started.body)["properties"]["provisioningState"] == "Creating"
    where = local(started.headers["Azure-AsyncOperation"])
    assert azure.json("GET", where, version=None)["status"] == "InProgress"
    assert azure.json("GET", VNET)["properties"]["provisioningState"] == "Creating"
    assert azure.json("PUT", VNET, BODY)["error"]["code"] == "AnotherOperationInProgress"
    subnet = azure.json("PUT", f"{VNET}/subnets/a", {"properties": {"addressPrefix": "10.1.0.0/24"}})
    assert subnet["error"]["code"] == "AnotherOperationInProgress", "a part waits for the whole"
    azure.clock.advance(30)
    ended = azure.json("GET", where, version=None)
    assert (ended["status"], "endTime" in ended) == ("Succeeded", True)
    assert azure.json("GET", VNET)["properties"]["provisioningState"] == "Succeeded"


def test_a_type_may_take_longer_than_others() -> None:
    azure = world(operation_s_by_type={"Microsoft.Network/virtualNetworks": 60})
    assert azure.json("PUT", f"{RG}/providers/Microsoft.Network/routeTables/rt", {"location": "eastus"})["name"] == "rt"
    azure.ask("PUT", VNET, BODY)
    azure.clock.advance(59)
    assert azure.json("GET", VNET)["properties"]["provisioningState"] == "Creating"
    assert azure.json("GET", f"{RG}/providers/Microsoft.Network/routeTables/rt")["properties"]["provisioningState"] == "Succeeded"


def test_deleting_a_group_takes_all_that_is_in_it() -> None:
    azure = world(operation_s=10)
    azure.ask("PUT", VNET, BODY)
    azure.clock.advance(10)
    gone = azure.ask("DELETE", RG)
    assert gone.status == 202
    where = local(gone.headers["Location"])
    assert azure.ask("GET", where, version=None).status == 202
    assert azure.json("PUT", f"{VNET}2", BODY)["error"]["code"] == "ResourceGroupBeingDeleted"
    azure.clock.advance(10)
    assert azure.ask("GET", where, version=None).status == 200
    assert azure.ask("HEAD", RG).status == 404
    assert azure.json("GET", VNET)["error"]["code"] == "ResourceGroupNotFound"


def test_storage_is_accepted_first_and_answered_at_its_location(azure: Direct) -> None:
    id_ = f"{RG}/providers/Microsoft.Storage/storageAccounts/acct1"
    body = {"location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
    first = azure.ask("PUT", id_, body)
    assert (first.status, first.body) == (202, b"")
    assert "Azure-AsyncOperation" not in first.headers
    assert azure.json("GET", local(first.headers["Location"]), version=None)["name"] == "acct1"
    assert azure.ask("PUT", id_, body).status == 200, "an update is answered at once"


def test_a_fault_answers_the_second_time_only() -> None:
    fault = {
        "when": "PUT *Microsoft.Network/virtualNetworks/*",
        "nth": 2,
        "answer": {"status": 503, "code": "ServerBusy", "message": "Busy."},
    }
    azure = world(faults=[fault])
    assert [azure.ask("PUT", VNET, BODY).status for _ in range(3)] == [201, 503, 200]


def test_throttling_says_when_to_come_back() -> None:
    fault = {
        "when": "GET *",
        "nth": [1],
        "answer": {"status": 429, "code": "TooManyRequests", "message": "Slow down.", "retry_after_s": 7},
    }
    azure = world(faults=[fault])
    first = azure.ask("GET", RG)
    assert (first.status, first.headers["Retry-After"], json.loads(first.body)["error"]["code"]) == (429, "7", "TooManyRequests")
    assert azure.ask("GET", RG).status == 200


def test_an_operation_can_fail_half_way_and_be_tried_again() -> None:
    fault = {
        "when": "PUT *Microsoft.CognitiveServices/accounts/*",
        "nth": 1,
        "fails": {"code": "InternalServerError", "message": "The account could not be provisioned."},
    }
    azure = world(faults=[fault])
    started = azure.ask("PUT", OAI, ACCOUNT)
    assert started.status == 201, "the request itself is accepted"
    told = azure.json("GET", local(started.headers["Azure-AsyncOperation"]), version=None)
    assert (told["status"], told["error"]["code"]) == ("Failed", "InternalServerError")
    assert azure.json("GET", OAI)["properties"]["provisioningState"] == "Failed", "what is half there is listed"
    again = azure.ask("PUT", OAI, ACCOUNT)
    assert poll(azure, again.headers)["status"] == "Succeeded"
    assert azure.json("GET", OAI)["properties"]["provisioningState"] == "Succeeded"


def test_what_never_was_complete_leaves_no_name_behind() -> None:
    fault = {
        "when": "PUT *Microsoft.CognitiveServices/accounts/*",
        "nth": 1,
        "fails": {"code": "InternalServerError", "message": "Failed."},
    }
    azure = world(faults=[fault])
    azure.ask("PUT", OAI, ACCOUNT)
    azure.ask("DELETE", OAI)
    assert azure.ask("PUT", OAI, ACCOUNT).status == 201, "a failed account has nothing to restore"
    azure.ask("DELETE", OAI)
    assert azure.json("PUT", OAI, ACCOUNT)["error"]["code"] == "FlagMustBeSetForRestore"


def test_a_slow_answer_says_so() -> None:
    azure = world(faults=[{"when": "GET */resourceGroups/rg", "delay_s": 1.5}])
    assert azure.ask("GET", RG).delay_s == 1.5


def test_lists_come_in_pages(azure: Direct) -> None:
    names = [f"rt-{n:02d}" for n in range(7)]
    for name in names:
        azure.make(f"{RG}/providers/Microsoft.Network/routeTables/{name}", location="eastus", tags={"n": name, "all": "yes"})
    query = {"$top": "3", "$filter": "tagName eq 'all' and tagValue eq 'yes'"}
    seen: list[str] = []
    pages = 0
    for _ in range(5):
        page = azure.json("GET", "{sub}/resources", **query)
        seen += [row["name"] for row in page["value"]]
        pages += 1
        if "nextLink" not in page:
            break
        assert page["nextLink"].startswith("https://localhost:4443/subscriptions/")
        query["$skiptoken"] = page["nextLink"].rpartition("skiptoken=")[2].replace("%3D", "=")
    assert (pages, seen) == (3, names)
    assert azure.json("GET", "{sub}/resources", **{"$skiptoken": "???"})["error"]["code"] == "InvalidSkipToken"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("resourceType eq 'Microsoft.Network/virtualNetworks'", ["vnet-hub-eastus"]),
        ("tagName eq 'owner'", ["stnorthwindold"]),
        ("tagname eq 'OWNER' and tagvalue eq 'nobody'", ["stnorthwindold"]),
        ("location eq 'westeurope' and resourceType eq 'Microsoft.Compute/virtualMachines'", ["vm-notebook"]),
        ("substringof('hub', name)", ["vnet-hub-eastus"]),
        ("resourceGroup eq 'rg-monitoring'", ["log-northwind"]),
        ("resourceType eq 'x' or name eq 'nsg-shared'", ["nsg-shared"]),
    ],
)
def test_resources_by_filter(azure: Direct, text: str, names: list[str]) -> None:
    assert [row["name"] for row in azure.json("GET", "{sub}/resources", **{"$filter": text})["value"]] == names


@pytest.mark.parametrize("text", ["name gt 'a'", "name eq", "name eq 'a", "((((", "(" * 50 + "name eq 'a'" + ")" * 50])
def test_a_filter_nobody_can_read_is_refused(azure: Direct, text: str) -> None:
    assert azure.json("GET", "{sub}/resources", **{"$filter": text})["error"]["code"] == "InvalidFilterInQueryString"


def test_ids_are_spelled_one_way_whatever_is_asked(azure: Direct) -> None:
    odd = azure.json(
        "PUT",
        "//subscriptions/" + azure.subscription.upper() + "/RESOURCEGROUPS/RG/providers/microsoft.NETWORK/VirtualNetworks/vnet-a",
        BODY,
    )
    plain = azure.json("GET", VNET)
    assert plain["id"] == f"/subscriptions/{azure.subscription}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-a"
    assert odd["type"] == "Microsoft.Network/virtualNetworks"
    child = azure.json("PUT", VNET.upper().replace("{SUB}", "{sub}") + "/SUBNETS/snet", {"properties": {"addressPrefix": "10.1.0.0/24"}})
    assert child["id"] == f"{plain['id']}/subnets/snet"


def test_put_replaces_and_patch_merges(azure: Direct) -> None:
    id_ = f"{RG}/providers/Microsoft.KeyVault/vaults/kv-a"
    made = azure.make(
        id_, location="eastus", tags={"a": "1"}, properties={"sku": {"name": "standard", "family": "A"}, "odd": {"x": 1, "y": 2}}
    )
    merged = azure.json("PATCH", id_, {"tags": {"b": "2"}, "properties": {"odd": {"y": 3}}})
    assert (merged["tags"], merged["properties"]["odd"]) == ({"b": "2"}, {"x": 1, "y": 3})
    replaced = azure.make(id_, location="eastus", properties={"sku": {"name": "standard", "family": "A"}})
    assert "odd" not in replaced["properties"]
    assert "tags" not in replaced
    assert replaced["properties"]["vaultUri"] == made["properties"]["vaultUri"]
    assert replaced["systemData"]["createdAt"] == made["systemData"]["createdAt"]


def test_a_network_keeps_its_subnets_unless_it_lists_them(azure: Direct) -> None:
    azure.make(VNET, **BODY)
    azure.make(f"{VNET}/subnets/a", properties={"addressPrefix": "10.1.0.0/24"})
    azure.make(VNET, **BODY)
    assert [s["name"] for s in azure.json("GET", VNET)["properties"]["subnets"]] == ["a"]
    listed = BODY["properties"] | {"subnets": [{"name": "b", "properties": {"addressPrefix": "10.1.1.0/24"}}]}  # type: ignore[operator]
    azure.make(VNET, location="eastus", properties=listed)
    assert azure.ask("GET", f"{VNET}/subnets/a").status == 404
    before = azure.json("GET", VNET)
    bad = listed | {"subnets": [{"name": "b", "properties": {"addressPrefix": "10.9.1.0/24"}}]}
    assert azure.json("PUT", VNET, {"location": "eastus", "tags": {"t": "1"}, "properties": bad})["error"]["code"] == "NetcfgInvalidSubnet"
    assert azure.json("GET", VNET) == before, "a refused whole changes nothing"


def test_a_restart_takes_the_world_up_again(tmp_path: Path) -> None:
    first = direct(folder=tmp_path)
    first.make(RG, location="eastus", tags={"a": "b"})
    first.make(VNET, **BODY)
    again = direct(folder=tmp_path, clock=first.clock)
    assert again.json("GET", VNET, token=first.token) == first.json("GET", VNET), "with the old token, too"
    changed = section()
    changed["page_size"] = 50
    assert direct(changed, folder=tmp_path).ask("GET", VNET).status == 404, "another world begins anew"


def test_prices_look_like_the_public_list(azure: Direct) -> None:
    text = "armSkuName eq 'Standard_NC24ads_A100_v4' and armRegionName eq 'eastus' and priceType eq 'Consumption'"
    found = azure.json("GET", "/api/retail/prices", version="2023-01-01-preview", token="", **{"$filter": text})
    assert [(row["retailPrice"], row["unitOfMeasure"]) for row in found["Items"]] == [(3.673, "1 Hour")]
    nothing = azure.json("GET", "/api/retail/prices", version="2023-01-01-preview", token="", **{"$filter": text.lower()})
    assert nothing["Count"] == 0, "values are case-sensitive since 2023"
    assert azure.ask("GET", "/api/retail/prices", token="", currencyCode="EUR").status == 400


def test_metadata_is_there_without_a_token(azure: Direct) -> None:
    found = azure.json("GET", "/metadata/endpoints", version="2022-09-01", token="")
    assert found["resourceManager"] == found["authentication"]["loginEndpoint"] == "https://localhost:4443"
    assert found["authentication"]["identityProvider"] == "AAD"
    older = azure.json("GET", "//metadata/endpoints", version="2018-01-01", token="")
    assert "eastus" in older["cloudEndpoint"]["public"]["locations"]


def test_a_network_that_is_at_another_change_takes_no_peering() -> None:
    azure = world(operation_s_by_type={"Microsoft.Network/virtualNetworks/virtualNetworkPeerings": 30})
    other = f"{RG}/providers/Microsoft.Network/virtualNetworks/vnet-b"
    azure.make(VNET, **BODY)
    azure.make(other, location="eastus", properties={"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}})
    azure.make(f"{VNET}/virtualNetworkPeerings/there", properties={"remoteVirtualNetwork": {"id": other}})
    back = (f"{other}/virtualNetworkPeerings/back", {"properties": {"remoteVirtualNetwork": {"id": VNET}}})
    assert azure.json("PUT", *back)["error"]["code"] == "ReferencedResourceNotProvisioned"
    azure.clock.advance(30)
    assert azure.ask("PUT", *back).status == 201


def test_a_storage_account_takes_one_private_endpoint_at_a_time() -> None:
    azure = world(operation_s_by_type={"Microsoft.Network/privateEndpoints": 30})
    azure.make(VNET, **BODY)
    azure.make(f"{VNET}/subnets/ends", properties={"addressPrefix": "10.1.0.0/24"})
    account = f"{RG}/providers/Microsoft.Storage/storageAccounts/stone"
    azure.make(account, location="eastus", kind="StorageV2", sku={"name": "Standard_LRS"}, properties={"supportsHttpsTrafficOnly": True})

    def connect(part: str) -> str:
        where = f"{RG}/providers/Microsoft.Network/privateEndpoints/pep-{part}"
        to = [{"name": part, "properties": {"privateLinkServiceId": account, "groupIds": [part]}}]
        azure.make(where, location="eastus", properties={"subnet": {"id": f"{VNET}/subnets/ends"}, "privateLinkServiceConnections": to})
        return where

    first, second = connect("blob"), connect("dfs")
    azure.clock.advance(30)
    states = [azure.json("GET", one)["properties"]["provisioningState"] for one in (first, second, connect("file"))]
    assert states[:2] == ["Succeeded", "Failed"]


def test_a_network_is_linked_to_one_zone_of_a_name() -> None:
    azure = world()
    azure.make(VNET, **BODY)
    azure.make("{sub}/resourceGroups/rg2", location="eastus")
    link = {"location": "global", "properties": {"virtualNetwork": {"id": VNET}, "registrationEnabled": False}}
    said = []
    for group in ("rg", "rg2"):
        zone = f"{{sub}}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com"
        azure.make(zone, location="global")
        said.append(azure.ask("PUT", f"{zone}/virtualNetworkLinks/link", link))
    assert said[0].status == 202 and b"overlapping namespaces" in said[1].body


def test_a_rule_says_what_it_is_for_in_140_characters() -> None:
    azure = world()
    rule = {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*"}
    rule |= {"sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "443"}
    azure.make(f"{RG}/providers/Microsoft.Network/networkSecurityGroups/nsg", location="eastus")
    at = f"{RG}/providers/Microsoft.Network/networkSecurityGroups/nsg/securityRules/web"
    said = [azure.ask("PUT", at, {"properties": rule | {"description": "x" * length}}).status for length in (141, 140)]
    assert said[0] == 400 and said[1] in (200, 201)


def test_an_alert_watches_what_is_measured() -> None:
    azure = world()
    account = f"{RG}/providers/Microsoft.Storage/storageAccounts/stone"
    azure.make(account, location="eastus", kind="StorageV2", sku={"name": "Standard_LRS"}, properties={"supportsHttpsTrafficOnly": True})
    codes = []
    for metric in ("Availabilty", "Availability"):
        one = {"metricNamespace": "Microsoft.Storage/storageAccounts", "metricName": metric}
        properties = {"severity": 1, "scopes": [account], "criteria": {"allOf": [one]}}
        body = {"location": "global", "properties": properties}
        codes.append(azure.ask("PUT", f"{RG}/providers/Microsoft.Insights/metricAlerts/a", body).status)
    assert codes[0] == 400 and codes[1] in (200, 201)


def test_a_size_may_be_shut_in_single_zones() -> None:
    subscriptions = section()["subscriptions"]
    subscriptions[0]["sku_restrictions"] = [{"sku": "Standard_D4s_v5", "region": "eastus", "zones": ["2"]}]
    azure = world(subscriptions=subscriptions)
    rows = azure.json("GET", "{sub}/providers/Microsoft.Compute/skus", **{"$filter": "location eq 'eastus'"})["value"]
    [row] = [one for one in rows if one["name"] == "Standard_D4s_v5"]
    assert [(one["type"], one["restrictionInfo"]["zones"]) for one in row["restrictions"]] == [("Zone", ["2"])]
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}
    for zones, answered in ((["1", "2", "3"], "AvailabilityZoneNotSupported"), (["1", "3"], "")):
        properties = {"dnsPrefix": "aks", "agentPoolProfiles": [pool | {"availabilityZones": zones}]}
        body = {"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": properties}
        got = azure.json("PUT", f"{RG}/providers/Microsoft.ContainerService/managedClusters/aks-{len(zones)}", body)
        assert got.get("error", {}).get("code", "") == answered
