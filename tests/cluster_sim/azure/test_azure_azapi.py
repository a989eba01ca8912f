"""What azapi does, done here: its recorded calls, and the life of every resource that a data workspace has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azapi_steps import create, drift, poll, put, remove
from azure_site import Direct

RECORDED = json.loads((Path(__file__).parent / "azapi_calls.json").read_text("utf-8"))


def test_the_recorded_calls_of_the_released_provider_are_served(azure: Direct) -> None:
    headers: dict[str, str] = {}
    there: set[str] = set()
    for act in ("create", "refresh", "update", "refresh", "destroy"):
        for call in RECORDED[act]:
            if call["path"] == "<ASYNC OPERATION>":
                poll(azure, headers)
                continue
            path, method = call["path"].replace("/subscriptions/<SUBSCRIPTION>", "{sub}"), call["method"]
            answer = azure.ask(method, path, call.get("body"), version=call["api_version"])
            expected = {"GET": (200,) if path in there else (404,), "PUT": (200, 201), "DELETE": (200, 202)}[method]
            assert answer.status in expected, (act, call, answer.body)
            headers = dict(answer.headers)
            there = there | {path} if method == "PUT" else there - {path} if method == "DELETE" else there
    assert not there


RG = "{sub}/resourceGroups/rg-dw"
NET = f"{RG}/providers/Microsoft.Network"
ID = f"{RG}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-spark"
LOG = f"{RG}/providers/Microsoft.OperationalInsights/workspaces/log-dw"
ACCOUNT = f"{RG}/providers/Microsoft.Storage/storageAccounts/stdw7f3a"
VAULT = f"{RG}/providers/Microsoft.KeyVault/vaults/kv-dw-7f3a"
AKS = f"{RG}/providers/Microsoft.ContainerService/managedClusters/aks-dw"
DBW = f"{RG}/providers/Microsoft.Databricks/workspaces/dbw-dw"
OAI = f"{RG}/providers/Microsoft.CognitiveServices/accounts/oai-dw"
BLOB_OWNER = "{sub}/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe"


def _subnet(prefix: str, **more: Any) -> dict[str, Any]:
    return {"properties": {"addressPrefix": prefix, "networkSecurityGroup": {"id": f"{NET}/networkSecurityGroups/nsg-dw"}, **more}}


def _delegated(prefix: str) -> dict[str, Any]:
    return _subnet(prefix, delegations=[{"name": "databricks", "properties": {"serviceName": "Microsoft.Databricks/workspaces"}}])


DATABRICKS = (
    ("worker-to-worker-inbound", 100, "Inbound", "*", "VirtualNetwork", "*", "Required for worker nodes communication within a cluster."),
    ("worker-to-sql", 101, "Outbound", "Tcp", "Sql", "3306", "Required for workers communication with Azure SQL services."),
    ("worker-to-storage", 102, "Outbound", "Tcp", "Storage", "443", "Required for workers communication with Azure Storage services."),
    ("worker-to-worker-outbound", 103, "Outbound", "*", "VirtualNetwork", "*", "Required for worker nodes communication within a cluster."),
    ("worker-to-eventhub", 104, "Outbound", "Tcp", "EventHub", "9093", "Required for worker communication with Azure Eventhub services."),
)
"""The rules that a workspace puts into its subnets' group; see cluster_sim/azure/families/network_intent.py for where they are from."""


def _own_rules() -> list[dict[str, Any]]:
    return [
        {
            "name": f"Microsoft.Databricks-workspaces_UseOnly_databricks-{name}",
            "properties": {
                "description": why,
                "priority": priority,
                "direction": direction,
                "access": "Allow",
                "protocol": protocol,
                "sourceAddressPrefix": "VirtualNetwork",
                "sourcePortRange": "*",
                "destinationAddressPrefix": to,
                "destinationPortRange": port,
            },
        }
        for name, priority, direction, protocol, to, port, why in DATABRICKS
    ]


WORKSPACE: list[tuple[str, dict[str, Any]]] = [
    (RG, {"location": "eastus", "tags": {"team": "ml", "owner": "ada"}}),
    (
        f"{NET}/networkSecurityGroups/nsg-dw",
        {
            "location": "eastus",
            "properties": {
                "securityRules": [
                    {
                        "name": "deny-internet",
                        "properties": {
                            "priority": 4000,
                            "direction": "Inbound",
                            "access": "Deny",
                            "protocol": "*",
                            "sourceAddressPrefix": "Internet",
                            "sourcePortRange": "*",
                            "destinationAddressPrefix": "*",
                            "destinationPortRange": "*",
                        },
                    },
                    *_own_rules(),
                ]
            },
        },
    ),
    (
        f"{NET}/publicIPAddresses/pip-dw",
        {"location": "eastus", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
    ),
    (
        f"{NET}/natGateways/ng-dw",
        {
            "location": "eastus",
            "sku": {"name": "Standard"},
            "properties": {"publicIpAddresses": [{"id": f"{NET}/publicIPAddresses/pip-dw"}]},
        },
    ),
    (
        f"{NET}/virtualNetworks/vnet-dw",
        {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.60.0.0/16"]}}},
    ),
    (f"{NET}/virtualNetworks/vnet-dw/subnets/snet-aks", _subnet("10.60.0.0/20", natGateway={"id": f"{NET}/natGateways/ng-dw"})),
    (f"{NET}/virtualNetworks/vnet-dw/subnets/snet-pep", _subnet("10.60.16.0/24", defaultOutboundAccess=False)),
    (f"{NET}/virtualNetworks/vnet-dw/subnets/snet-dbw-public", _delegated("10.60.32.0/22")),
    (f"{NET}/virtualNetworks/vnet-dw/subnets/snet-dbw-private", _delegated("10.60.36.0/22")),
    (
        LOG,
        {
            "location": "eastus",
            "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 90, "features": {"disableLocalAuth": True}},
        },
    ),
    (
        ACCOUNT,
        {
            "location": "eastus",
            "kind": "StorageV2",
            "sku": {"name": "Standard_ZRS"},
            "properties": {
                "isHnsEnabled": True,
                "minimumTlsVersion": "TLS1_2",
                "allowSharedKeyAccess": False,
                "supportsHttpsTrafficOnly": True,
                "publicNetworkAccess": "Disabled",
                "networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"},
            },
        },
    ),
    (f"{ACCOUNT}/blobServices/default/containers/raw", {"properties": {"publicAccess": "None"}}),
    (
        VAULT,
        {
            "location": "eastus",
            "properties": {
                "tenantId": "72f9a0d4-6c1e-4f7b-9a55-3b0c2e8d1a10",
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
                "enablePurgeProtection": True,
                "softDeleteRetentionInDays": 90,
                "publicNetworkAccess": "Disabled",
            },
        },
    ),
    (ID, {"location": "eastus"}),
    (
        AKS,
        {
            "location": "eastus",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {ID: {}}},
            "sku": {"name": "Base", "tier": "Standard"},
            "properties": {
                "dnsPrefix": "aks-dw",
                "disableLocalAccounts": True,
                "oidcIssuerProfile": {"enabled": True},
                "securityProfile": {"workloadIdentity": {"enabled": True}},
                "agentPoolProfiles": [
                    {
                        "name": "system",
                        "mode": "System",
                        "count": 2,
                        "vmSize": "Standard_D4s_v5",
                        "vnetSubnetID": f"{NET}/virtualNetworks/vnet-dw/subnets/snet-aks",
                    }
                ],
                "networkProfile": {
                    "networkPlugin": "azure",
                    "networkPluginMode": "overlay",
                    "outboundType": "userAssignedNATGateway",
                },
            },
        },
    ),
    (
        f"{AKS}/agentPools/gpu",
        {
            "properties": {
                "mode": "User",
                "vmSize": "Standard_NC24ads_A100_v4",
                "enableAutoScaling": True,
                "minCount": 0,
                "maxCount": 1,
                "nodeTaints": ["sku=gpu:NoSchedule"],
            }
        },
    ),
    (
        f"{AKS}/maintenanceConfigurations/aksManagedAutoUpgradeSchedule",
        {"properties": {"maintenanceWindow": {"schedule": {"weekly": {"dayOfWeek": "Sunday"}}}}},
    ),
    (
        f"{ID}/federatedIdentityCredentials/spark",
        {
            "properties": {
                "issuer": "https://eastus.oic.prod-aks.azure.com/x/y/",
                "subject": "system:serviceaccount:spark:spark",
                "audiences": ["api://AzureADTokenExchange"],
            }
        },
    ),
    (
        f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/6f1b5d5c-31a7-4f2e-9f0e-5a6b7c8d9e01",
        {"properties": {"roleDefinitionId": BLOB_OWNER, "principalId": "<identity>", "principalType": "ServicePrincipal"}},
    ),
    (
        f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/to-log",
        {"properties": {"workspaceId": LOG, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}},
    ),
    (
        f"{RG}/providers/Microsoft.Insights/actionGroups/ag-dw",
        {
            "location": "global",
            "properties": {
                "groupShortName": "ml",
                "enabled": True,
                "emailReceivers": [{"name": "ops", "emailAddress": "ops@example.com"}],
            },
        },
    ),
    (
        f"{RG}/providers/Microsoft.Insights/metricAlerts/aks-cpu",
        {
            "location": "global",
            "properties": {
                "severity": 2,
                "enabled": True,
                "scopes": [AKS],
                "evaluationFrequency": "PT5M",
                "windowSize": "PT15M",
                "criteria": {"odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", "allOf": []},
                "actions": [{"actionGroupId": f"{RG}/providers/Microsoft.Insights/actionGroups/ag-dw"}],
            },
        },
    ),
    (f"{NET}/privateDnsZones/privatelink.dfs.core.windows.net", {"location": "global"}),
    (
        f"{NET}/privateDnsZones/privatelink.dfs.core.windows.net/virtualNetworkLinks/vnet-dw",
        {
            "location": "global",
            "properties": {"registrationEnabled": False, "virtualNetwork": {"id": f"{NET}/virtualNetworks/vnet-dw"}},
        },
    ),
    (
        f"{NET}/privateEndpoints/pep-dfs",
        {
            "location": "eastus",
            "properties": {
                "subnet": {"id": f"{NET}/virtualNetworks/vnet-dw/subnets/snet-pep"},
                "privateLinkServiceConnections": [{"name": "dfs", "properties": {"privateLinkServiceId": ACCOUNT, "groupIds": ["dfs"]}}],
            },
        },
    ),
    (
        f"{NET}/privateEndpoints/pep-dfs/privateDnsZoneGroups/default",
        {
            "properties": {
                "privateDnsZoneConfigs": [
                    {"name": "dfs", "properties": {"privateDnsZoneId": f"{NET}/privateDnsZones/privatelink.dfs.core.windows.net"}}
                ]
            }
        },
    ),
    (
        f"{RG}/providers/Microsoft.Databricks/accessConnectors/dbac-dw",
        {"location": "eastus", "identity": {"type": "SystemAssigned"}},
    ),
    (
        DBW,
        {
            "location": "eastus",
            "sku": {"name": "premium"},
            "properties": {
                "managedResourceGroupId": "{sub}/resourceGroups/rg-dw-dbw-managed",
                "publicNetworkAccess": "Disabled",
                "requiredNsgRules": "NoAzureDatabricksRules",
                "parameters": {
                    "customVirtualNetworkId": {"value": f"{NET}/virtualNetworks/vnet-dw"},
                    "customPublicSubnetName": {"value": "snet-dbw-public"},
                    "customPrivateSubnetName": {"value": "snet-dbw-private"},
                    "enableNoPublicIp": {"value": True},
                },
            },
        },
    ),
    (
        OAI,
        {
            "location": "eastus",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "identity": {"type": "SystemAssigned"},
            "properties": {"customSubDomainName": "oai-dw-7f3a", "disableLocalAuth": True, "publicNetworkAccess": "Disabled"},
        },
    ),
    (
        f"{OAI}/deployments/chat",
        {
            "sku": {"name": "GlobalStandard", "capacity": 50},
            "properties": {
                "model": {"format": "OpenAI", "name": "gpt-5.4", "version": "2026-03-05"},
                "versionUpgradeOption": "NoAutoUpgrade",
            },
        },
    ),
    (
        f"{RG}/providers/Microsoft.DataFactory/factories/adf-dw-7f3a",
        {"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": {"publicNetworkAccess": "Disabled"}},
    ),
    (f"{RG}/providers/Microsoft.DataFactory/factories/adf-dw-7f3a/managedVirtualNetworks/default", {"properties": {}}),
]


def written(azure: Direct, value: Any, principal: str = "") -> Any:
    text = json.dumps(value).replace("{sub}", f"/subscriptions/{azure.subscription}").replace("<identity>", principal)
    return json.loads(text)


def test_a_data_workspace_is_made_looked_at_changed_and_destroyed(azure: Direct) -> None:
    before = {r.key for r in azure.part.cloud.store.resources.values()}
    principal = ""
    for id_, raw in WORKSPACE:
        shown = create(azure, id_, body := written(azure, raw, principal))
        assert drift(body, shown) == [], id_
        principal = shown["properties"]["principalId"] if id_ == ID else principal

    first = {id_: azure.json("GET", id_) for id_, _ in WORKSPACE}
    assert first == {id_: azure.json("GET", id_) for id_, _ in WORKSPACE}, "a second look shows the same, computed values included"
    for id_, raw in WORKSPACE:
        pooled = id_ == AKS  # Its node pools are listed with it, as in Azure; a module says `ignore_other_items_in_list`.
        assert pooled or drift(written(azure, raw, principal), first[id_]) == [], id_

    for id_, raw in WORKSPACE:
        body = written(azure, raw, principal)
        if "location" in body:
            body["tags"] = {"team": "ml", "changed": "yes"}
        shown = put(azure, id_, body)
        computed = [drift({k: v for k, v in first[id_].items() if k in ("id", "identity")}, shown)]
        assert computed == [[]], id_
        assert body.get("tags") == shown.get("tags") or "tags" not in body
    again = {id_: azure.json("GET", id_)["properties"] for id_, _ in WORKSPACE if id_ != RG}
    for key in (
        "vaultUri",
        "workspaceId",
        "workspaceUrl",
        "customerId",
        "primaryEndpoints",
        "endpoint",
        "nodeResourceGroup",
        "fqdn",
    ):
        for id_, properties in again.items():
            assert properties.get(key) == first[id_]["properties"].get(key), (key, id_)

    for id_, _ in reversed(WORKSPACE):
        remove(azure, id_)
    assert {r.key for r in azure.part.cloud.store.resources.values()} == before, "nothing is left behind, managed groups included"


@pytest.mark.parametrize(
    ("id_", "path", "like"),
    [
        (ACCOUNT, "primaryEndpoints.dfs", "https://stdw7f3a.dfs.core.windows.net/"),
        (VAULT, "vaultUri", "https://kv-dw-7f3a.vault.azure.net/"),
        (AKS, "nodeResourceGroup", "MC_rg-dw_aks-dw_eastus"),
        (AKS, "oidcIssuerProfile.issuerURL", "https://eastus.oic.prod-aks.azure.com/72f9a0d4-6c1e-4f7b-9a55-3b0c2e8d1a10/"),
        (OAI, "endpoint", "https://oai-dw-7f3a.openai.azure.com/"),
    ],
)
def test_computed_fields_are_as_azure_makes_them(azure: Direct, id_: str, path: str, like: str) -> None:
    for wanted, raw in WORKSPACE:
        if wanted in (RG, id_, ID) or (id_ == AKS and "/Microsoft.Network/" in wanted and "private" not in wanted):
            put(azure, wanted, written(azure, raw))
    value: Any = azure.json("GET", id_)["properties"]
    for part in path.split("."):
        value = value[part]
    assert value.startswith(like)
