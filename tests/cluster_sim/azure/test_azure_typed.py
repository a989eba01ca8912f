"""The typed clients of Azure's own packages read what the simulator answers: names and shapes are theirs, not ours."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from azapi_steps import create
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.databricks import AzureDatabricksManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.storage import StorageManagementClient
from azure_site import Direct, direct
from test_azure_azapi import ID, WORKSPACE, written

from cluster_sim.http import mount_in_process

URL = "https://localhost:4443"


class Token:
    """A credential that has its token already."""

    def __init__(self, azure: Direct) -> None:
        self._azure = azure

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(self._azure.token, int(self._azure.clock.now()) + 10**9)


Client = Callable[..., Any]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A data workspace, mounted in this process: no socket, the same answers."""
    azure = direct()
    azure.part.bind({"arm": URL, "databricks": "https://localhost:5001"})
    principal = ""
    for id_, raw in WORKSPACE:
        shown = create(azure, id_, written(azure, raw, principal))
        principal = shown["properties"]["principalId"] if id_ == ID else principal
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mount_in_process(mock, URL, azure.part.services["arm"])

        def make(kind: Client, **options: Any) -> Any:
            # A client of all subscriptions takes none.
            return kind(
                Token(azure),
                *([] if kind is SubscriptionClient else [azure.subscription]),
                base_url=URL,
                credential_scopes=[f"{URL}/.default"],
                polling_interval=0,
                **options,
            )

        yield make


def test_network(client: Client) -> None:
    network = client(NetworkManagementClient)
    vnet = network.virtual_networks.get("rg-dw", "vnet-dw")
    assert [s.name for s in vnet.subnets] == ["snet-aks", "snet-pep", "snet-dbw-public", "snet-dbw-private"]
    assert [d.service_name for d in vnet.subnets[2].delegations] == ["Microsoft.Databricks/workspaces"]
    assert vnet.resource_guid
    nsg = network.network_security_groups.get("rg-dw", "nsg-dw")
    assert [r.priority for r in nsg.security_rules if r.access == "Deny"] == [4000]
    assert len(nsg.default_security_rules) == 6
    assert len(nsg.subnets) == 4
    nat = network.nat_gateways.get("rg-dw", "ng-dw")
    assert [s.id.rsplit("/", 1)[1] for s in nat.subnets] == ["snet-aks"]
    assert network.public_ip_addresses.get("rg-dw", "pip-dw").ip_address.startswith("203.0.113.")
    endpoint = network.private_endpoints.get("rg-dw", "pep-dfs")
    assert endpoint.custom_dns_configs[0].ip_addresses == ["10.60.16.4"], "the first four addresses of a subnet are Azure's"
    assert endpoint.custom_dns_configs[0].fqdn == "stdw7f3a.dfs.core.windows.net"
    nic = network.network_interfaces.get("rg-dw", endpoint.network_interfaces[0].id.rsplit("/", 1)[1])
    assert nic.ip_configurations[0].private_ip_address == "10.60.16.4"
    zones = network.private_dns_zone_groups.get("rg-dw", "pep-dfs", "default").private_dns_zone_configs
    assert zones[0].record_sets[0].ip_addresses == ["10.60.16.4"]


def test_storage_and_vault(client: Client) -> None:
    storage = client(StorageManagementClient)
    account = storage.storage_accounts.get_properties("rg-dw", "stdw7f3a")
    assert account.primary_endpoints.dfs == "https://stdw7f3a.dfs.core.windows.net/"
    assert [c.private_endpoint.id.rsplit("/", 1)[1] for c in account.private_endpoint_connections] == ["pep-dfs"]
    assert [k["keyName"] for k in storage.storage_accounts.list_keys("rg-dw", "stdw7f3a")["keys"]] == ["key1", "key2"]
    assert [c.name for c in storage.blob_containers.list("rg-dw", "stdw7f3a")] == ["raw"]
    assert storage.blob_services.get_service_properties("rg-dw", "stdw7f3a").name == "default"
    assert (
        storage.storage_accounts.check_name_availability({"name": "stdw7f3a", "type": "Microsoft.Storage/storageAccounts"}).reason
        == "AlreadyExists"
    )
    vault = client(KeyVaultManagementClient).vaults.get("rg-dw", "kv-dw-7f3a")
    assert (vault.properties.vault_uri, vault.properties.soft_delete_retention_in_days) == (
        "https://kv-dw-7f3a.vault.azure.net/",
        90,
    )
    assert vault.system_data.created_by_type == "Application"


def test_identity_and_access(client: Client) -> None:
    identity = client(ManagedServiceIdentityClient)
    mine = identity.user_assigned_identities.get("rg-dw", "id-spark")
    assert mine.principal_id != mine.client_id
    assert [f.subject for f in identity.federated_identity_credentials.list("rg-dw", "id-spark")] == ["system:serviceaccount:spark:spark"]
    access = client(AuthorizationManagementClient)
    scope = f"{mine.id.split('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/stdw7f3a"
    found = list(access.role_assignments.list_for_scope(scope, filter=f"principalId eq '{mine.principal_id}'"))
    assert [a.scope.lower() for a in found] == [scope.lower()]
    roles = list(access.role_definitions.list(scope, filter="roleName eq 'Storage Blob Data Contributor'"))
    assert [r.id for r in roles] == [found[0].role_definition_id]


def test_kubernetes(client: Client) -> None:
    aks = client(ContainerServiceClient)
    cluster = aks.managed_clusters.get("rg-dw", "aks-dw")
    assert [(p.name, p.count, p.mode) for p in cluster.agent_pool_profiles] == [("system", 2, "System"), ("gpu", 0, "User")]
    assert cluster.current_kubernetes_version == "1.34.2"
    assert cluster.oidc_issuer_profile.issuer_url.startswith("https://eastus.oic.prod-aks.azure.com/")
    assert cluster.node_resource_group == "MC_rg-dw_aks-dw_eastus"
    config = json.loads(aks.managed_clusters.list_cluster_user_credentials("rg-dw", "aks-dw").kubeconfigs[0].value)
    assert config["clusters"][0]["cluster"]["server"] == f"https://{cluster.fqdn}:443"
    pools = {p.name: p for p in aks.agent_pools.list("rg-dw", "aks-dw")}
    assert (pools["gpu"].vm_size, pools["gpu"].node_taints) == ("Standard_NC24ads_A100_v4", ["sku=gpu:NoSchedule"])
    assert "1.34" in {v.version for v in aks.managed_clusters.list_kubernetes_versions("eastus").values_property}
    assert [m.name for m in aks.maintenance_configurations.list_by_managed_cluster("rg-dw", "aks-dw")] == ["aksManagedAutoUpgradeSchedule"]


def test_databricks_and_openai(client: Client) -> None:
    databricks = client(AzureDatabricksManagementClient)
    workspace = databricks.workspaces.get("rg-dw", "dbw-dw")
    assert workspace.workspace_url == "localhost:5001"
    assert workspace.workspace_id.isdigit()
    assert workspace.parameters.enable_no_public_ip.value is True
    assert databricks.access_connectors.get("rg-dw", "dbac-dw").identity.principal_id
    openai = client(CognitiveServicesManagementClient)
    account = openai.accounts.get("rg-dw", "oai-dw")
    assert account.properties.endpoint == "https://oai-dw-7f3a.openai.azure.com/"
    deployment = openai.deployments.get("rg-dw", "oai-dw", "chat")
    assert (deployment.properties.model.name, deployment.sku.capacity) == ("gpt-5.4", 50)
    assert {m.key: m.count for m in deployment.properties.rate_limits}["token"] == 50_000
    used = {u.name.value: u.current_value for u in openai.usages.list("eastus")}
    assert used["OpenAI.GlobalStandard.gpt-5.4"] == 50
    assert "gpt-5.4" in {m.model.name for m in openai.models.list("eastus")}


def test_monitoring(client: Client) -> None:
    workspace = client(LogAnalyticsManagementClient).workspaces.get("rg-dw", "log-dw")
    assert (workspace.retention_in_days, len(workspace.customer_id)) == (90, 36)
    monitor = client(MonitorManagementClient)
    assert monitor.action_groups.get("rg-dw", "ag-dw").group_short_name == "ml"
    alert = monitor.metric_alerts.get("rg-dw", "aks-cpu")
    assert (alert.severity, alert.location, [a.action_group_id.rsplit("/", 1)[1] for a in alert.actions]) == (
        2,
        "global",
        ["ag-dw"],
    )


CLIENTS = {
    "resources": ResourceManagementClient,
    "deployments": DeploymentsMgmtClient,
    "network": NetworkManagementClient,
    "storage": StorageManagementClient,
    "vault": KeyVaultManagementClient,
    "msi": ManagedServiceIdentityClient,
    "authorization": AuthorizationManagementClient,
    "aks": ContainerServiceClient,
    "databricks": AzureDatabricksManagementClient,
    "cognitive": CognitiveServicesManagementClient,
    "logs": LogAnalyticsManagementClient,
    "monitor": MonitorManagementClient,
    "compute": ComputeManagementClient,
    "subscriptions": SubscriptionClient,
}
RIGHT_MIN = 104
"""Of the 119 in the table (68 of 93 others were asked for): fewer is a step back."""


def calls() -> Iterator[tuple[str, str, list[Any], int, str, Any]]:
    """(client, operation, arguments, status of a refusal or 0, path to a part of what is found, that part)."""
    for line in Path(__file__).with_name("azure_mgmt_calls.txt").read_text().splitlines():
        if not line.startswith("#"):
            line, _, told = line.partition(" => ")
            path, _, value = told.partition(" ")
            call, _, status = line.partition(" -> ")
            words, brace, body = call.partition("{" if " {" in call and "{sub}" not in call and "{id}" not in call else "\0")
            name, operation, *arguments = shlex.split(words)
            given = [*arguments, *([json.loads(brace + body)] if brace else [])]
            yield name, operation, given, int(status or 0), path, json.loads(value or "null")


def part(found: Any, path: str) -> Any:
    """`a.0.b`: an attribute, a place in a list; of a list without a place, that of each. `#` is how many there are."""
    for step in filter(None, path.split(".")):
        if step == "#":
            found = len(found)
        elif isinstance(found, list):
            found = found[int(step)] if step.isdigit() else [part(one, step) for one in found]
        else:
            value = getattr(found, step)
            found = found[step] if callable(value) else value  # `keys` is a method of every mapping.
    return found


def test_calls_of_the_types_that_berth_makes_are_answered(client: Client) -> None:
    made = {name: client(kind) for name, kind in CLIENTS.items()}
    subscription = made["network"]._config.subscription_id
    wrong, right = [], 0
    for name, operation, arguments, status_wanted, path, wanted in calls():
        group, _, method = operation.partition(".")
        given = [one.format(sub=f"/subscriptions/{subscription}", id=subscription) if isinstance(one, str) else one for one in arguments]
        status, seen = 0, None
        try:
            found = getattr(getattr(made[name], group), method)(*given)
            found = list(found) if hasattr(found, "by_page") or hasattr(found, "__next__") else found
            seen = part(found, path)
        except HttpResponseError as refusal:
            status = refusal.status_code or -1
        right += status == 0
        if (status, seen) != (status_wanted, wanted):
            wrong.append(f"{name} {operation}: {status} {seen!r} and not {status_wanted} {wanted!r}")
    assert wrong == []
    assert right >= RIGHT_MIN
