"""What ARM refuses, by code and status, as tables. Each row is a request a product will one day make."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure_site import Direct, direct, section

RG = "{sub}/resourceGroups/rg"
STORAGE = f"{RG}/providers/Microsoft.Storage/storageAccounts"
VAULTS = f"{RG}/providers/Microsoft.KeyVault/vaults"
NET = f"{RG}/providers/Microsoft.Network"
AKS = f"{RG}/providers/Microsoft.ContainerService/managedClusters"
OAI = f"{RG}/providers/Microsoft.CognitiveServices/accounts"
ROLE = f"{RG}/providers/Microsoft.Authorization/roleAssignments"
GUID = "6f1b5d5c-31a7-4f2e-9f0e-5a6b7c8d9e01"
READER = "{sub}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"


def storage(**more: Any) -> dict[str, Any]:
    return {
        "location": "eastus",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"supportsHttpsTrafficOnly": True},
    } | more


def vault(**properties: Any) -> dict[str, Any]:
    return {"location": "eastus", "properties": {"sku": {"family": "A", "name": "standard"}, **properties}}


def cluster(size: str = "Standard_D4s_v5", count: int = 1, location: str = "eastus", **more: Any) -> dict[str, Any]:
    pool = {"name": "system", "mode": "System", "count": count, "vmSize": size}
    properties = {"dnsPrefix": "aks", "agentPoolProfiles": [pool], **more}
    return {"location": location, "identity": {"type": "SystemAssigned"}, "properties": properties}


POOL = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}


def budget(**more: Any) -> dict[str, Any]:
    told = {"spent": {"enabled": True, "operator": "GreaterThan", "threshold": 80, "contactRoles": ["Owner"]}}
    right = {"category": "Cost", "amount": 100, "timeGrain": "Monthly", "timePeriod": {"startDate": "2026-11-01T00:00:00Z"}}
    return {"properties": {**right, "notifications": told, **more}}


def account(**more: Any) -> dict[str, Any]:
    return {"location": "eastus", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {"customSubDomainName": "oai-x1"}} | more


def deployment(model: str = "gpt-5.4", capacity: int = 10, sku: str = "GlobalStandard", version: str = "2026-03-05") -> dict[str, Any]:
    return {
        "sku": {"name": sku, "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": model, "version": version}},
    }


VNET = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}

REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("GET", "{sub}/resourceGroups/none", None, 404, "ResourceGroupNotFound"),
    ("GET", f"{STORAGE}/none", None, 404, "ResourceNotFound"),
    ("GET", "{sub}/resourceGroups/none/providers/Microsoft.KeyVault/vaults/kv", None, 404, "ResourceGroupNotFound"),
    ("GET", "{sub}/resourceGroups/none/resources", None, 404, "ResourceGroupNotFound"),
    ("DELETE", "{sub}/resourceGroups/none", None, 404, "ResourceGroupNotFound"),
    ("GET", "/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups", None, 404, "SubscriptionNotFound"),
    ("PUT", "{sub}/resourceGroups/ends.", {"location": "eastus"}, 400, "InvalidResourceGroup"),
    ("PUT", "{sub}/resourceGroups/new", {}, 400, "LocationRequired"),
    ("PUT", "{sub}/resourceGroups/new", {"location": "eastus9"}, 400, "LocationNotAvailableForResourceGroup"),
    ("PUT", "{sub}/resourceGroups/rg", {"location": "westus2"}, 409, "InvalidResourceGroupLocation"),
    ("PUT", "{sub}/resourceGroups/new", {"location": "eastus", "tags": {"a/b": "c"}}, 400, "InvalidTagNameCharacters"),
    ("PUT", "{sub}/resourceGroups/new", {"location": "eastus", "tags": {"a": 1}}, 400, "InvalidRequestContent"),
    ("PUT", "{sub}/resourceGroups/new", {"location": "eastus", "tags": {"Owner": "a", "owner": "b"}}, 400, "InvalidRequestContent"),
    ("PUT", f"{NET}/privateEndpoints/{'p' * 65}", {"location": "eastus", "properties": {}}, 400, "InvalidResourceName"),
    ("PUT", "{sub}/resourceGroups/new", b"{not json", 400, "InvalidRequestContent"),
    ("PUT", "{sub}/resourceGroups/new", [], 400, "InvalidRequestContent"),
    ("PUT", f"{STORAGE}/acct1", {"location": "eastus", "properties": []}, 400, "InvalidRequestContent"),
    ("PUT", f"{STORAGE}/MyAccount", storage(), 400, "AccountNameInvalid"),
    ("PUT", f"{STORAGE}/a-b", storage(), 400, "AccountNameInvalid"),
    ("PUT", f"{STORAGE}/datalake", storage(), 409, "StorageAccountAlreadyTaken"),
    ("PUT", f"{STORAGE}/stnorthwindold", storage(), 409, "StorageAccountAlreadyTaken"),
    ("PUT", f"{STORAGE}/acct1", storage(sku={"name": "Gold_LRS"}), 400, "SkuNotAvailable"),
    ("PUT", f"{STORAGE}/acct1", storage(location="westus", sku={"name": "Standard_ZRS"}), 403, "RequestDisallowedByPolicy"),
    ("PUT", f"{STORAGE}/acct1", storage(location="moon"), 400, "LocationNotAvailableForResourceType"),
    ("PUT", f"{STORAGE}/acct1", storage(properties={"supportsHttpsTrafficOnly": False}), 403, "RequestDisallowedByPolicy"),
    ("PUT", f"{STORAGE}/none1/blobServices/default/containers/raw", {"properties": {}}, 404, "ParentResourceNotFound"),
    ("PUT", f"{VAULTS}/1kv", vault(), 400, "VaultNameNotValid"),
    ("PUT", f"{VAULTS}/kv--a", vault(), 400, "VaultNameNotValid"),
    ("PUT", f"{VAULTS}/kv-data", vault(), 409, "VaultAlreadyExists"),
    ("PUT", f"{VAULTS}/kv-northwind-ml", vault(), 409, "ConflictError"),
    ("PUT", f"{VAULTS}/kv-a", vault(enablePurgeProtection=False), 400, "BadRequest"),
    ("PUT", f"{VAULTS}/kv-a", vault(softDeleteRetentionInDays=1), 400, "BadRequest"),
    (
        "PUT",
        f"{NET}/virtualNetworks/vn/subnets/s",
        {"properties": {"addressPrefix": "10.1.0.0/24"}},
        404,
        "ParentResourceNotFound",
    ),
    ("PUT", f"{NET}/virtualNetworks/vn", {"location": "eastus"}, 400, "InvalidRequestFormat"),
    (
        "PUT",
        f"{NET}/virtualNetworks/vn",
        VNET | {"properties": {"addressSpace": {"addressPrefixes": ["10.1.0.1/8"]}}},
        400,
        "InvalidAddressPrefixFormat",
    ),
    (
        "PUT",
        f"{NET}/natGateways/ng",
        {"location": "eastus", "properties": {"publicIpAddresses": [{"id": f"{NET}/publicIPAddresses/none"}]}},
        400,
        "InvalidResourceReference",
    ),
    (
        "PUT",
        f"{NET}/networkSecurityGroups/n",
        {
            "location": "eastus",
            "properties": {
                "securityRules": [
                    {"name": "r", "properties": {"priority": 99, "direction": "Inbound", "access": "Allow", "protocol": "Tcp"}}
                ]
            },
        },
        400,
        "SecurityRuleInvalidPriority",
    ),
    ("PUT", f"{AKS}/aks", cluster("Standard_NC24ads_A100_v4", 2), 400, "ErrCode_InsufficientVCPUQuota"),
    ("PUT", f"{AKS}/aks", cluster("Standard_D4s_v5", 26), 400, "ErrCode_InsufficientVCPUQuota"),
    ("PUT", f"{AKS}/aks", cluster("Standard_NC24ads_A100_v4", location="westus2"), 400, "BadRequest"),
    ("PUT", f"{AKS}/aks", cluster("Standard_NC6s_v3"), 400, "BadRequest"),
    ("PUT", f"{AKS}/aks", cluster(kubernetesVersion="1.24.9"), 400, "K8sVersionNotSupported"),
    ("PUT", f"{AKS}/aks", cluster(dnsPrefix=""), 400, "InvalidParameter"),
    *(
        ("PUT", f"{AKS}/aks", cluster(networkProfile=network), 400, "InvalidParameter")
        for network in (
            {"podCidr": "172.30.0.0/15"},
            {"podCidr": "169.254.10.0/24"},
            {"podCidr": "192.0.2.0/24"},
            {"serviceCidr": "172.31.4.0/24", "dnsServiceIP": "172.31.4.10"},
            {"serviceCidr": "10.9.0.0/16", "podCidr": "10.9.128.0/17", "dnsServiceIP": "10.9.0.10"},
            {"serviceCidr": "10.9.0.0/16", "dnsServiceIP": "10.9.0.1"},
            {"serviceCidr": "10.9.0.0/16", "dnsServiceIP": "10.8.0.10"},
        )
    ),
    *(
        ("PUT", f"{AKS}/aks", cluster(apiServerAccessProfile=access), 400, "InvalidParameter")
        for access in (
            {"authorizedIPRanges": ["198.51.100.0/24", "192.168.0.0/16"]},
            {"authorizedIPRanges": ["198.51.100.0/24"], "enablePrivateCluster": True},
        )
    ),
    ("PUT", f"{AKS}/aks", cluster(agentPoolProfiles=[POOL | {"osDiskType": "Ephemeral", "osDiskSizeGB": 128}]), 400, "InvalidParameter"),
    *(
        ("PUT", f"{RG}/providers/Microsoft.Consumption/budgets/b", budget(**wrong), 400, "400")
        for wrong in (
            {"amount": 0},
            {"timePeriod": {"startDate": "2026-11-15T00:00:00Z"}},
            {"notifications": {"spent": {"enabled": True, "operator": "GreaterThan", "threshold": 80, "contactEmails": []}}},
            {"notifications": {"spent": {"enabled": True, "operator": "GreaterThan", "threshold": 2000, "contactRoles": ["Owner"]}}},
        )
    ),
    *(
        (
            "PUT",
            f"{NET}/virtualNetworks/vn",
            {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": [prefix]}}},
            400,
            "AddressPrefixNotAllowed",
        )
        for prefix in ("169.254.0.0/24", "168.63.129.0/24", "224.1.0.0/16", "127.0.0.0/16")
    ),
    ("PUT", f"{AKS}/aks", cluster(agentPoolProfiles=[]), 400, "InvalidParameter"),
    ("PUT", f"{AKS}/aks", cluster(agentPoolProfiles=[{"name": "System", "mode": "System"}]), 400, "InvalidParameter"),
    (
        "PUT",
        f"{AKS}/none/agentPools/gpu",
        {"properties": {"vmSize": "Standard_D4s_v5", "count": 1}},
        404,
        "ParentResourceNotFound",
    ),
    ("PUT", f"{OAI}/oai", account(properties={"customSubDomainName": "openai"}), 409, "CustomDomainInUse"),
    ("PUT", f"{OAI}/oai", account(sku={"name": "S9"}), 400, "InvalidResourceProperties"),
    ("PUT", f"{OAI}/oai", account(properties={"disableLocalAuth": True}), 400, "InvalidResourceProperties"),
    ("PUT", f"{ROLE}/not-a-guid", {"properties": {}}, 400, "InvalidRoleAssignmentId"),
    (
        "PUT",
        f"{ROLE}/{GUID}",
        {"properties": {"roleDefinitionId": "x/y", "principalId": GUID}},
        400,
        "RoleDefinitionDoesNotExist",
    ),
    ("PUT", f"{ROLE}/{GUID}", {"properties": {"roleDefinitionId": READER, "principalId": GUID}}, 400, "PrincipalNotFound"),
    (
        "PUT",
        f"{VAULTS}/kv-a",
        vault()
        | {
            "identity": {
                "type": "UserAssigned",
                "userAssignedIdentities": {f"{RG}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/none": {}},
            }
        },
        400,
        "FailedIdentityOperation",
    ),
    (
        "PUT",
        f"{RG}/providers/Microsoft.OperationalInsights/workspaces/log-a",
        {"location": "eastus", "properties": {"retentionInDays": 5}},
        400,
        "InvalidParameter",
    ),
    ("PUT", f"{RG}/providers/Microsoft.DataFactory/factories/adf-data", {"location": "eastus"}, 409, "DataFactoryNameInUse"),
    ("PUT", f"{RG}/providers/Microsoft.Quantum/workspaces/q", {"location": "eastus"}, 501, "NotSimulated"),
    ("POST", f"{RG}/exportTemplate", {}, 501, "NotSimulated"),
    ("GET", "{sub}/providers/Microsoft.Compute/locations/eastus9/usages", None, 400, "NoRegisteredProviderFound"),
    ("GET", "{sub}/providers/Microsoft.Nothing", None, 404, "InvalidResourceNamespace"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), REFUSED, ids=[f"{r[4]}-{n}" for n, r in enumerate(REFUSED)])
def test_refusals(azure: Direct, method: str, path: str, body: Any, status: int, code: str) -> None:
    before = set(azure.part.cloud.store.resources)
    answer = azure.ask(method, path, body)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == (status, code), error["message"]
    assert error["message"].rstrip("'").endswith((".", "]", "Fix", "quotas", "fwlink/?linkid=2149745", "checknameavailability")), error[
        "message"
    ]
    assert set(azure.part.cloud.store.resources) == before, "what is refused leaves nothing"


def test_a_501_names_the_address(azure: Direct) -> None:
    message = azure.json("GET", f"{RG}/providers/Microsoft.Quantum/workspaces/q")["error"]["message"]
    assert f"GET /subscriptions/{azure.subscription}/resourceGroups/rg/providers/Microsoft.Quantum/workspaces/q" in message


@pytest.mark.parametrize(
    ("version", "code"),
    [(None, "MissingApiVersionParameter"), ("latest", "InvalidApiVersionParameter"), ("2025-13", "InvalidApiVersionParameter")],
)
def test_the_api_version_is_required(azure: Direct, version: str | None, code: str) -> None:
    answer = azure.ask("GET", RG, version=version)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, code)


def test_no_token_no_answer(azure: Direct) -> None:
    for token, code in (
        ("", "AuthenticationFailed"),
        ("abc", "InvalidAuthenticationToken"),
        (azure.token[:-2] + "xx", "InvalidAuthenticationToken"),
    ):
        answer = azure.ask("GET", RG, token=token)
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (401, code)
        assert "authorization_uri" in answer.headers["WWW-Authenticate"]
    wrong = json.loads(azure.log_in("https://vault.azure.net/.default").body)["access_token"]
    assert azure.json("GET", RG, token=wrong)["error"]["code"] == "InvalidAuthenticationTokenAudience"
    azure.clock.advance(3600)
    assert azure.json("GET", RG)["error"]["code"] == "ExpiredAuthenticationToken"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": GUID}, 400, 700016),
        ({"grant_type": "password"}, 400, 70003),
        ({"scope": "https://management.azure.com/user_impersonation"}, 400, 1002012),
    ],
)
def test_login_refuses_as_entra_does(azure: Direct, change: dict[str, str], status: int, code: int) -> None:
    answer = azure.log_in(**change)
    body = json.loads(answer.body)
    assert (answer.status, body["error_codes"]) == (status, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert "simulated-secret" not in answer.body.decode()


def test_the_openid_scopes_that_msal_for_go_adds_do_no_harm(azure: Direct) -> None:
    answer = azure.log_in("https://localhost:4443//.default openid offline_access profile")
    assert answer.status == 200
    assert azure.ask("GET", RG, token=json.loads(answer.body)["access_token"]).status == 200


def test_an_expired_secret() -> None:
    world = section()
    asked = direct(world)
    world["tenant"]["client_secret_expired"] = True
    from cluster_sim.azure import build

    asked.part = build(world, asked.clock)
    assert json.loads(asked.log_in().body)["error_codes"] == [7000222]


@pytest.mark.parametrize(
    ("change", "method", "path", "body", "status", "code"),
    [
        ({"role": "Reader"}, "PUT", "{sub}/resourceGroups/new", {"location": "eastus"}, 403, "AuthorizationFailed"),
        ({"role": "Reader"}, "GET", "{sub}/resourceGroups/rg-monitoring", None, 200, ""),
        ({"role": "Contributor"}, "PUT", "{sub}/resourceGroups/new", {"location": "eastus"}, 201, ""),
        (
            {"role": "Contributor"},
            "PUT",
            f"{{sub}}/resourceGroups/rg-monitoring/providers/Microsoft.Authorization/roleAssignments/{GUID}",
            {"properties": {}},
            403,
            "AuthorizationFailed",
        ),
        ({"state": "Disabled"}, "PUT", "{sub}/resourceGroups/new", {"location": "eastus"}, 409, "ReadOnlyDisabledSubscription"),
        (
            {"unregistered": ["Microsoft.Databricks"]},
            "PUT",
            "{sub}/resourceGroups/rg-monitoring/providers/Microsoft.Databricks/workspaces/dbw",
            {"location": "eastus"},
            409,
            "MissingSubscriptionRegistration",
        ),
    ],
)
def test_what_the_subscription_allows(change: dict[str, Any], method: str, path: str, body: Any, status: int, code: str) -> None:
    world = section()
    world["subscriptions"][0] |= change
    answer = direct(world).ask(method, path, body)
    assert answer.status == status
    assert json.loads(answer.body).get("error", {}).get("code", "") == code


def test_registering_a_provider_lifts_the_refusal() -> None:
    world = section()
    world["subscriptions"][0]["unregistered"] = ["Microsoft.KeyVault"]
    azure = direct(world)
    azure.make("{sub}/resourceGroups/rg", location="eastus")
    refused = azure.json("PUT", f"{VAULTS}/kv-a", vault())["error"]
    assert "'Microsoft.KeyVault'" in refused["message"], "clients read the name from between the quotes"
    assert azure.json("GET", "{sub}/providers/Microsoft.KeyVault")["registrationState"] == "NotRegistered"
    assert azure.json("POST", "{sub}/providers/Microsoft.KeyVault/register")["registrationState"] == "Registered"
    azure.make(f"{VAULTS}/kv-a", **vault())


@pytest.mark.parametrize(
    ("rule", "made", "allowed"),
    [
        ({"required_tags": ["owner"]}, storage(), False),
        ({"required_tags": ["owner"]}, storage(tags={"Owner": "ada"}), True),
        ({"required_tags": ["owner"], "asked_of": "groups"}, storage(), True),
        ({"denied_types": ["Microsoft.Storage/storageAccounts"]}, storage(), False),
        ({"allowed_locations": ["westeurope"]}, storage(), False),
        ({"allowed_locations": ["eastus"]}, storage(), True),
        (
            {
                "require": {
                    "type": "Microsoft.Storage/storageAccounts",
                    "property": "properties.publicNetworkAccess",
                    "one_of": ["Disabled"],
                }
            },
            storage(),
            False,
        ),
        (
            {"require": {"type": "Microsoft.Storage/storageAccounts", "property": "sku.name", "one_of": ["Standard_LRS"]}},
            storage(),
            True,
        ),
    ],
)
def test_policy_denies(rule: dict[str, Any], made: dict[str, Any], allowed: bool) -> None:
    world = section()
    world["subscriptions"][0]["policies"] = [{"name": "the-rule", "display_name": "The rule", **rule}]
    azure = direct(world)
    at = "{sub}/resourceGroups/rg-monitoring/providers"
    details = {"resourceDetails": {"resourceContent": {"type": "Microsoft.Storage/storageAccounts", **made}}}
    checked = azure.json("POST", f"{at}/Microsoft.PolicyInsights/checkPolicyRestrictions", details)
    assert bool(checked["contentEvaluationResult"]["policyEvaluations"]) is not allowed, "what is asked before agrees with what is refused"
    answer = azure.ask("PUT", f"{at}/Microsoft.Storage/storageAccounts/acct1", made)
    if allowed:
        assert answer.status == 202
    else:
        error = json.loads(answer.body)["error"]
        assert (answer.status, error["code"]) == (403, "RequestDisallowedByPolicy")
        assert error["additionalInfo"][0]["info"]["policyAssignmentName"] == "the-rule"
        assert "The rule" in error["message"]
    listed = azure.json("GET", "{sub}/providers/Microsoft.Authorization/policyAssignments")["value"]
    assert [p["properties"]["displayName"] for p in listed] == ["The rule"]


def test_subnets_keep_inside_and_apart(azure: Direct) -> None:
    azure.make(f"{NET}/virtualNetworks/vn", **VNET)
    at = f"{NET}/virtualNetworks/vn/subnets"
    azure.make(f"{at}/a", properties={"addressPrefix": "10.1.0.0/24"})
    for prefix, code in (
        ("10.2.0.0/24", "NetcfgInvalidSubnet"),
        ("10.1.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.1.1.0/24", ""),
    ):
        body = azure.json("PUT", f"{at}/b", {"properties": {"addressPrefix": prefix}})
        assert body.get("error", {}).get("code", "") == code


def test_what_is_in_use_stays(azure: Direct) -> None:
    azure.make(f"{NET}/networkSecurityGroups/nsg", location="eastus")
    azure.make(f"{NET}/virtualNetworks/vn", **VNET)
    nsg = {"id": f"{NET}/networkSecurityGroups/nsg"}
    azure.make(f"{NET}/virtualNetworks/vn/subnets/a", properties={"addressPrefix": "10.1.0.0/24", "networkSecurityGroup": nsg})
    pool = {
        "name": "system",
        "mode": "System",
        "count": 1,
        "vmSize": "Standard_D4s_v5",
        "vnetSubnetID": f"{NET}/virtualNetworks/vn/subnets/a",
    }
    azure.make(f"{AKS}/aks", **cluster(agentPoolProfiles=[pool]))
    for path, code in (
        (f"{NET}/networkSecurityGroups/nsg", "InUseNetworkSecurityGroupCannotBeDeleted"),
        (f"{NET}/virtualNetworks/vn/subnets/a", "InUseSubnetCannotBeDeleted"),
        (f"{NET}/virtualNetworks/vn", "InUseSubnetCannotBeDeleted"),
    ):
        assert azure.json("DELETE", path)["error"]["code"] == code
    for path in (f"{AKS}/aks", f"{NET}/virtualNetworks/vn", f"{NET}/networkSecurityGroups/nsg"):
        assert azure.ask("DELETE", path).status == 202


def test_who_only_watches_does_not_hold(azure: Direct) -> None:
    azure.make(f"{NET}/publicIPAddresses/pip", location="eastus", sku={"name": "Standard"})
    azure.make(
        f"{RG}/providers/Microsoft.Insights/metricAlerts/ddos",
        location="global",
        properties={"severity": 2, "scopes": [f"{NET}/publicIPAddresses/pip"], "criteria": {"allOf": []}},
    )
    assert azure.ask("DELETE", f"{NET}/publicIPAddresses/pip").status == 202


def test_locks_hold_writes_and_deletes(azure: Direct) -> None:
    azure.make(f"{STORAGE}/acct1", **storage())
    lock = f"{STORAGE}/acct1/providers/Microsoft.Authorization/locks/keep"
    azure.make(lock, properties={"level": "CanNotDelete"})
    assert azure.json("DELETE", f"{STORAGE}/acct1")["error"]["code"] == "ScopeLocked"
    assert azure.json("DELETE", RG)["error"]["code"] == "ScopeLocked", "a lock below holds the group too"
    assert azure.ask("PUT", f"{STORAGE}/acct1", storage()).status == 200
    azure.make(lock, properties={"level": "ReadOnly"})
    assert azure.json("PUT", f"{STORAGE}/acct1", storage())["error"]["code"] == "ScopeLocked"
    assert azure.ask("DELETE", lock).status == 200
    assert azure.ask("DELETE", f"{STORAGE}/acct1").status == 200


def test_openai_quota_is_shared_and_given_back(azure: Direct) -> None:
    azure.make(f"{OAI}/oai", **account())
    at = f"{OAI}/oai/deployments"
    azure.make(f"{at}/one", **deployment(capacity=400))
    refused = azure.json("PUT", f"{at}/two", deployment(capacity=51))["error"]
    assert refused["code"] == "InsufficientQuota"
    assert "require 51" in refused["message"]
    assert "available capacity 50" in refused["message"]
    usages = {
        u["name"]["value"]: (u["currentValue"], u["limit"])
        for u in azure.json("GET", "{sub}/providers/Microsoft.CognitiveServices/locations/eastus/usages")["value"]
    }
    assert usages["OpenAI.GlobalStandard.gpt-5.4"] == (400, 450)
    azure.make(f"{at}/one", **deployment(capacity=10))
    azure.make(f"{at}/two", **deployment(capacity=51))
    for body, code in (
        (deployment("gpt-9"), "DeploymentModelNotSupported"),
        (deployment(version="1999-01-01"), "DeploymentModelNotSupported"),
        (deployment(sku="Standard"), "InvalidResourceProperties"),
        (deployment(capacity=0), "InvalidCapacity"),
    ):
        assert azure.json("PUT", f"{at}/three", body)["error"]["code"] == code
    assert azure.json("DELETE", f"{OAI}/oai")["error"]["code"] == "CannotDeleteResource", "deployments go first"


def test_models_and_their_regions(azure: Direct) -> None:
    rows = azure.json("GET", "{sub}/providers/Microsoft.CognitiveServices/locations/eastus2/models")["value"]
    skus = {row["model"]["name"]: [s["name"] for s in row["model"]["skus"]] for row in rows}
    assert skus["gpt-5.4"] == ["GlobalStandard", "DataZoneStandard", "Standard"]
    west = azure.json("GET", "{sub}/providers/Microsoft.CognitiveServices/locations/westus3/models")["value"]
    assert "gpt-5.5" not in {row["model"]["name"] for row in west}, "not every region has every model"


def test_a_deleted_vault_keeps_its_name_until_it_is_purged(azure: Direct) -> None:
    azure.make(f"{VAULTS}/kv-a", **vault(softDeleteRetentionInDays=7))
    assert azure.ask("DELETE", f"{VAULTS}/kv-a").status == 200
    gone = "{sub}/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/kv-a"
    assert azure.json("GET", gone)["properties"]["location"] == "eastus"
    assert azure.json("PUT", f"{VAULTS}/kv-a", vault())["error"]["code"] == "ConflictError"
    name = {"name": "kv-a", "type": "Microsoft.KeyVault/vaults"}
    check = "{sub}/providers/Microsoft.KeyVault/checkNameAvailability"
    assert azure.json("POST", check, name)["reason"] == "AlreadyExists"
    azure.make(f"{VAULTS}/kv-a", **vault(createMode="recover", softDeleteRetentionInDays=7))
    azure.ask("DELETE", f"{VAULTS}/kv-a")
    assert azure.ask("POST", f"{gone}/purge").status == 200
    assert azure.json("POST", check, name) == {"nameAvailable": True}
    protected = "{sub}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-northwind-ml"
    assert azure.ask("POST", f"{protected}/purge").status == 405
    azure.clock.advance(91 * 86400)
    azure.token = json.loads(azure.log_in().body)["access_token"]
    assert azure.ask("GET", protected).status == 404, "Azure purges by itself when the retention is over"


def test_a_deleted_openai_account_must_be_restored_or_purged(azure: Direct) -> None:
    azure.make(f"{OAI}/oai", **account())
    azure.ask("DELETE", f"{OAI}/oai")
    azure.ask("GET", RG)
    assert azure.json("PUT", f"{OAI}/oai", account())["error"]["code"] == "FlagMustBeSetForRestore"
    other = azure.json("PUT", f"{OAI}/other", account())["error"]["code"]
    assert other == "CustomDomainInUse", "the subdomain stays taken too"
    gone = "{sub}/providers/Microsoft.CognitiveServices/locations/eastus/resourceGroups/rg/deletedAccounts/oai"
    assert azure.json("GET", gone)["kind"] == "OpenAI"
    assert [azure.ask("DELETE", gone).status for _ in range(2)] == [200, 204]
    assert azure.ask("GET", gone).status == 404
    azure.make(f"{OAI}/oai", **account())


@pytest.mark.parametrize(
    ("path", "body", "available"),
    [
        ("Microsoft.Storage/checkNameAvailability", {"name": "datalake"}, False),
        ("Microsoft.Storage/checkNameAvailability", {"name": "Capital"}, False),
        ("Microsoft.Storage/checkNameAvailability", {"name": "st4f7a9c"}, True),
        ("Microsoft.KeyVault/checkNameAvailability", {"name": "kv-data"}, False),
        ("Microsoft.KeyVault/checkNameAvailability", {"name": "kv-northwind-ml"}, False),
        ("Microsoft.ContainerRegistry/checkNameAvailability", {"name": "mldata"}, False),
        ("Microsoft.CognitiveServices/checkDomainAvailability", {"subdomainName": "openai"}, False),
        ("Microsoft.CognitiveServices/checkDomainAvailability", {"subdomainName": "oai-4f7a"}, True),
    ],
)
def test_names_can_be_asked_for(azure: Direct, path: str, body: dict[str, str], available: bool) -> None:
    answer = azure.json("POST", f"{{sub}}/providers/{path}", body)
    assert answer.get("nameAvailable", answer.get("isSubdomainAvailable")) is available


def test_preflight_agrees_with_what_would_happen(azure: Direct) -> None:
    def ask(name: str, body: dict[str, Any]) -> Any:
        rest = {k: v for k, v in body.items() if k != "location"}
        payload = {
            "provider": "Microsoft.Storage",
            "type": "storageAccounts",
            "location": body["location"],
            "scope": RG,
            "resources": [{"name": name, "apiVersion": "2025-01-01", **rest}],
        }
        return azure.ask("POST", "/providers/Microsoft.Resources/validateResources", payload)

    before = set(azure.part.cloud.store.resources)
    assert ask("acct1", storage()).status == 200
    assert json.loads(ask("datalake", storage()).body)["error"]["code"] == "StorageAccountAlreadyTaken"
    assert json.loads(ask("acct1", storage(location="westus")).body)["error"]["code"] == "RequestDisallowedByPolicy"
    assert set(azure.part.cloud.store.resources) == before


def test_role_assignments(azure: Direct) -> None:
    team = "0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c"
    body = {
        "properties": {
            "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
            "principalId": team,
        }
    }
    made = azure.make(f"{ROLE}/{GUID}", **body)
    assert made["properties"]["roleDefinitionId"] == READER.replace("{sub}", f"/subscriptions/{azure.subscription}")
    twice = azure.json("PUT", f"{ROLE}/{GUID[:-1]}2", body)["error"]["code"]
    assert twice == "RoleAssignmentExists"
    other = {"properties": body["properties"] | {"principalId": "1c7a3d22-4e5f-4b6a-9c7d-8e9f0a1b2c3d"}}
    assert azure.json("PUT", f"{ROLE}/{GUID}", other)["error"]["code"] == "RoleAssignmentUpdateNotPermitted"
    found = azure.json("GET", ROLE, **{"$filter": f"principalId eq '{team}'"})["value"]
    assert [row["name"] for row in found] == [GUID]
    roles = azure.json(
        "GET", "{sub}/providers/Microsoft.Authorization/roleDefinitions", **{"$filter": "roleName eq 'Storage Blob Data Reader'"}
    )["value"]
    assert [r["name"] for r in roles] == ["2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"]


def test_service_endpoints_come_before_network_rules(azure: Direct) -> None:
    azure.make(f"{NET}/virtualNetworks/vn", **VNET)
    subnet = f"{NET}/virtualNetworks/vn/subnets/a"
    azure.make(subnet, properties={"addressPrefix": "10.1.0.0/24"})
    rules = {"defaultAction": "Deny", "virtualNetworkRules": [{"id": subnet}]}
    made = storage(properties={"supportsHttpsTrafficOnly": True, "networkAcls": rules})
    refused = azure.json("PUT", f"{STORAGE}/acct1", made)["error"]
    assert refused["code"] == "NetworkAclsValidationFailure"
    assert "SubnetsHaveNoServiceEndpointsConfigured" in refused["message"]
    azure.make(subnet, properties={"addressPrefix": "10.1.0.0/24", "serviceEndpoints": [{"service": "Microsoft.Storage"}]})
    azure.make(f"{STORAGE}/acct1", **made)


def test_services_and_nodes_have_addresses_of_their_own(azure: Direct) -> None:
    azure.make(f"{NET}/virtualNetworks/vn", location="eastus", properties={"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}})
    azure.make(f"{NET}/virtualNetworks/vn/subnets/a", properties={"addressPrefix": "10.0.4.0/22"})
    pool = {
        "name": "system",
        "mode": "System",
        "count": 1,
        "vmSize": "Standard_D4s_v5",
        "vnetSubnetID": f"{NET}/virtualNetworks/vn/subnets/a",
    }
    refused = azure.json("PUT", f"{AKS}/aks", cluster(agentPoolProfiles=[pool]))["error"]
    assert refused["code"] == "ServiceCidrOverlapExistingSubnetsCidr"
    apart = {"serviceCidr": "172.16.0.0/16", "dnsServiceIP": "172.16.0.10"}
    azure.make(f"{AKS}/aks", **cluster(agentPoolProfiles=[pool], networkProfile=apart))


def test_a_pool_keeps_for_life_what_it_was_made_with(azure: Direct) -> None:
    azure.make(f"{AKS}/aks", **cluster())
    for fixed in ({"vmSize": "Standard_D8s_v5"}, {"availabilityZones": ["1"]}, {"osDiskSizeGB": 256}):
        refused = azure.json("PUT", f"{AKS}/aks/agentPools/system", {"properties": {**POOL, **fixed}})
        assert refused["error"]["code"] == "PropertyChangeNotAllowed", fixed
    azure.make(f"{AKS}/aks/agentPools/system", properties={**POOL, "count": 2})
    azure.make(f"{RG}/providers/Microsoft.Consumption/budgets/b", **budget())


def test_a_clusters_identity_needs_its_network_once_the_role_has_come_through() -> None:
    azure = direct(section() | {"role_propagation_s": 120})
    azure.make(RG, location="eastus")
    identity = f"{RG}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-aks"
    who = azure.make(identity, location="eastus")["properties"]["principalId"]
    azure.make(f"{NET}/virtualNetworks/vn", **VNET)
    azure.make(f"{NET}/virtualNetworks/vn/subnets/a", properties={"addressPrefix": "10.1.0.0/24"})
    body = cluster(agentPoolProfiles=[POOL | {"vnetSubnetID": f"{NET}/virtualNetworks/vn/subnets/a"}])
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    role = "{sub}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
    for seconds, code in ((0, "CustomSubnetMissingPermission"), (60, "CustomSubnetMissingPermission"), (121, "")):
        azure.clock.advance(seconds)
        assert azure.json("PUT", f"{AKS}/aks", body).get("error", {}).get("code", "") == code
        if not seconds:
            given = {"principalId": who, "principalType": "ServicePrincipal", "roleDefinitionId": role}
            azure.make(f"{NET}/virtualNetworks/vn/providers/Microsoft.Authorization/roleAssignments/{GUID}", properties=given)


@pytest.mark.parametrize(("let_in", "state"), [(["198.51.100.0/24"], "Failed"), (["198.51.100.0/24", "203.0.113.0/24"], "Succeeded")])
def test_nodes_behind_a_nat_gateway_need_its_address_let_in(azure: Direct, let_in: list[str], state: str) -> None:
    """The cluster is taken on, and fails at last: its nodes cannot reach their own API."""
    standard = {"sku": {"name": "Standard"}, "location": "eastus"}
    azure.make(f"{NET}/publicIPAddresses/pip", **standard, properties={"publicIPAllocationMethod": "Static"})
    azure.make(f"{NET}/natGateways/ng", **standard, properties={"publicIpAddresses": [{"id": f"{NET}/publicIPAddresses/pip"}]})
    azure.make(f"{NET}/virtualNetworks/vn", **VNET)
    azure.make(
        f"{NET}/virtualNetworks/vn/subnets/a", properties={"addressPrefix": "10.1.0.0/24", "natGateway": {"id": f"{NET}/natGateways/ng"}}
    )
    pool = {
        "name": "system",
        "mode": "System",
        "count": 1,
        "vmSize": "Standard_D4s_v5",
        "vnetSubnetID": f"{NET}/virtualNetworks/vn/subnets/a",
    }
    azure.make(f"{AKS}/aks", **cluster(agentPoolProfiles=[pool], apiServerAccessProfile={"authorizedIPRanges": let_in}))
    azure.clock.advance(600)
    assert azure.json("GET", f"{AKS}/aks")["properties"]["provisioningState"] == state


LOGS = "{sub}/resourceGroups/rg-monitoring/providers/Microsoft.OperationalInsights/workspaces/log-northwind"


@pytest.mark.parametrize(
    ("logs", "metrics", "code"),
    [
        ([{"category": "AuditEvent"}], ["AllMetrics"], ""),
        ([{"categoryGroup": "audit"}], [], ""),
        ([{"category": "kube-audit"}], [], "BadRequest"),
        ([{"categoryGroup": "everything"}], [], "BadRequest"),
        ([], ["Transaction"], "BadRequest"),
    ],
)
def test_a_diagnostic_setting_has_what_its_type_can_export(azure: Direct, logs: Any, metrics: list[str], code: str) -> None:
    azure.make(f"{VAULTS}/kv-a", **vault())
    rows = {"logs": [{**one, "enabled": True} for one in logs], "metrics": [{"category": one, "enabled": True} for one in metrics]}
    at = f"{VAULTS}/kv-a/providers/Microsoft.Insights/diagnosticSettings/d"
    answer = azure.json("PUT", at, {"properties": {"workspaceId": LOGS, **rows}})
    assert answer.get("error", {}).get("code", "") == code


def test_a_type_that_exports_nothing_has_no_diagnostic_setting(azure: Direct) -> None:
    azure.make(f"{NET}/natGateways/ng", location="eastus", sku={"name": "Standard"}, properties={})
    rows = {"metrics": [{"category": "AllMetrics", "enabled": True}]}
    at = f"{NET}/natGateways/ng/providers/Microsoft.Insights/diagnosticSettings/d"
    assert azure.json("PUT", at, {"properties": {"workspaceId": LOGS, **rows}})["error"]["code"] == "ResourceTypeNotSupported"


def test_a_secret_written_through_arm_is_not_read_back(azure: Direct) -> None:
    azure.make(f"{VAULTS}/kv-a", **vault())
    made = azure.make(f"{VAULTS}/kv-a/secrets/token", properties={"value": "hush"})
    assert made["properties"]["secretUri"] == "https://kv-a.vault.azure.net/secrets/token"
    assert "hush" not in json.dumps(azure.json("GET", f"{VAULTS}/kv-a/secrets/token"))
    assert "hush" not in str(azure.part.cloud.store)
