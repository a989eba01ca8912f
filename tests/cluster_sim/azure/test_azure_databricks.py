"""Inside a Databricks workspace, with the official SDK over TLS; and the clock's and the quota's part in it, asked directly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from azure_site import Direct, Site, direct, section
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError
from databricks.sdk.service import compute, iam

SPARK = "16.4.x-scala2.12"
DELEGATED = "Microsoft.Databricks/workspaces"
DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"


@pytest.fixture(scope="module")
def inside(site: Site) -> Iterator[WorkspaceClient]:
    """A workspace made through ARM, and the SDK logged in to it, as the product does."""
    import os

    client = site.resources()
    client.resource_groups.create_or_update("rg-dbw", {"location": "eastus"})
    at = f"/subscriptions/{site.subscription}/resourceGroups"
    id_ = f"{at}/rg-dbw/providers/Microsoft.Databricks/workspaces/dbw-sdk"
    body = {"location": "eastus", "sku": {"name": "premium"}, "properties": {"managedResourceGroupId": f"{at}/rg-dbw-managed"}}
    made = client.resources.begin_create_or_update_by_id(id_, body, api_version="2026-01-01", polling_interval=0).result()
    token = site.credential().get_token(DATABRICKS).token
    # The SDK takes its CA from the environment only; the product sets it in a child process.
    before = os.environ.get("REQUESTS_CA_BUNDLE")
    os.environ["REQUESTS_CA_BUNDLE"] = site.ca_file
    try:
        yield WorkspaceClient(host=made.properties["workspaceUrl"], token=token, auth_type="pat")
    finally:
        os.environ.pop("REQUESTS_CA_BUNDLE")
        if before is not None:
            os.environ["REQUESTS_CA_BUNDLE"] = before
        client.resource_groups.begin_delete("rg-dbw", polling_interval=0).result()
        assert not client.resource_groups.check_existence("rg-dbw-managed")


def test_pool_policy_and_cluster(inside: WorkspaceClient, site: Site) -> None:
    assert inside.current_user.me().user_name == site.part.ready()["client_id"]
    assert SPARK in {v.key for v in inside.clusters.spark_versions().versions or []}
    assert "Standard_E8ds_v5" in {n.node_type_id for n in inside.clusters.list_node_types().node_types or []}

    pool = inside.instance_pools.create("pool-ml", "Standard_E8ds_v5", min_idle_instances=0, max_capacity=8)
    rules = {"autotermination_minutes": {"type": "fixed", "value": 20}, "autoscale.max_workers": {"type": "range", "maxValue": 8}}
    policy = inside.cluster_policies.create(name="ml", definition=json.dumps(rules))
    wanted: dict[str, Any] = {"spark_version": SPARK, "policy_id": policy.policy_id, "instance_pool_id": pool.instance_pool_id}
    made = inside.clusters.create_and_wait(
        cluster_name="ml", autoscale=compute.AutoScale(min_workers=1, max_workers=4), apply_policy_default_values=True, **wanted
    )
    assert (made.state, made.autotermination_minutes, made.node_type_id) == (compute.State.RUNNING, 20, "Standard_E8ds_v5")
    assert made.cluster_id
    with pytest.raises(DatabricksError, match=r"autoscale\.max_workers"):
        inside.clusters.create(cluster_name="big", autoscale=compute.AutoScale(min_workers=1, max_workers=40), **wanted)

    inside.clusters.edit(made.cluster_id, cluster_name="ml", num_workers=2, **wanted)
    assert inside.clusters.get(made.cluster_id).num_workers == 2
    assert [c.cluster_name for c in inside.clusters.list()] == ["ml"]
    inside.permissions.update(
        "clusters",
        made.cluster_id,
        access_control_list=[iam.AccessControlRequest(group_name="ml-team", permission_level=iam.PermissionLevel.CAN_RESTART)],
    )
    held = inside.clusters.get_permissions(made.cluster_id).access_control_list or []
    assert "ml-team" in {row.group_name for row in held}
    inside.clusters.delete(made.cluster_id)
    assert inside.clusters.get(made.cluster_id).state == compute.State.TERMINATED
    inside.clusters.permanent_delete(made.cluster_id)
    inside.cluster_policies.delete(str(policy.policy_id))
    inside.instance_pools.delete(str(pool.instance_pool_id))
    assert not list(inside.clusters.list())
    assert not list(inside.instance_pools.list())


def _workspace(azure: Direct, name: str = "dbw") -> str:
    return azure.make(
        f"{{sub}}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/{name}",
        location="eastus",
        sku={"name": "premium"},
        properties={"managedResourceGroupId": f"{{sub}}/resourceGroups/{name}-managed"},
    )["id"]


def _ask(azure: Direct, method: str, path: str, body: Any = None, *, service: str = "databricks", **query: str) -> Any:
    token = json.loads(azure.log_in(DATABRICKS).body)["access_token"]
    return azure.json(method, path, body, token=token, service=service, version=None, **query)


def _cluster(azure: Direct, **body: Any) -> str:
    given = {"cluster_name": "c", "spark_version": SPARK, "node_type_id": "Standard_D4s_v5", "num_workers": 1} | body
    return str(_ask(azure, "POST", "/api/2.1/clusters/create", given)["cluster_id"])


def test_a_cluster_starts_and_stops_by_the_clock() -> None:
    azure = direct(section() | {"cluster_start_s": 240})
    azure.make("{sub}/resourceGroups/rg", location="eastus")
    _workspace(azure)
    id_ = _cluster(azure, autotermination_minutes=30)
    states = []
    for seconds in (0, 239, 1, 30 * 60 - 1, 1):
        azure.clock.advance(seconds)
        states.append(_ask(azure, "GET", "/api/2.1/clusters/get", cluster_id=id_)["state"])
    assert states == ["PENDING", "PENDING", "RUNNING", "RUNNING", "TERMINATED"]
    assert _ask(azure, "GET", "/api/2.1/clusters/get", cluster_id=id_)["termination_reason"]["code"] == "INACTIVITY"


def test_clusters_count_against_the_subscriptions_quota(azure: Direct) -> None:
    _workspace(azure)
    fits = _cluster(azure, node_type_id="Standard_NC24ads_A100_v4", num_workers=0, is_single_node=True)
    assert _ask(azure, "GET", "/api/2.1/clusters/get", cluster_id=fits)["state"] == "RUNNING"
    usages = azure.json("GET", "{sub}/providers/Microsoft.Compute/locations/eastus/usages")["value"]
    assert [u["currentValue"] for u in usages if u["name"]["value"] == "StandardNCADSA100v4Family"] == [24]
    second = _ask(
        azure,
        "GET",
        "/api/2.1/clusters/get",
        cluster_id=_cluster(azure, node_type_id="Standard_NC24ads_A100_v4", num_workers=0, is_single_node=True),
    )
    assert (second["state"], second["termination_reason"]["code"]) == ("TERMINATED", "AZURE_QUOTA_EXCEEDED_EXCEPTION")


def test_each_workspace_answers_on_a_port_of_its_own(azure: Direct) -> None:
    azure.part.bind({"arm": "https://localhost:4443", "databricks": "https://localhost:5001", "databricks_2": "https://localhost:5002"})
    one, two = _workspace(azure, "one"), _workspace(azure, "two")
    assert [azure.json("GET", id_)["properties"]["workspaceUrl"] for id_ in (one, two)] == ["localhost:5001", "localhost:5002"]
    _cluster(azure)
    assert _ask(azure, "GET", "/api/2.1/clusters/list", service="databricks_2")["clusters"] == []
    third = azure.ask(
        "PUT",
        "{sub}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/three",
        {"location": "eastus", "sku": {"name": "premium"}, "properties": {"managedResourceGroupId": "{sub}/resourceGroups/m3"}},
    )
    assert third.status == 501


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"spark_version": "7.3.x-scala2.12"}, "Invalid spark version"),
        ({"node_type_id": "Standard_NC6s_v3"}, "Node type Standard_NC6s_v3 is not supported"),
        ({"num_workers": None}, "num_workers or autoscale"),
        ({"autotermination_minutes": 5}, "between 10 and 10000"),
        ({"policy_id": "NONE"}, "Can't find a cluster policy"),
        ({"instance_pool_id": "none"}, "Can't find an instance pool"),
    ],
)
def test_a_bad_cluster_is_refused_in_words(azure: Direct, body: dict[str, Any], words: str) -> None:
    _workspace(azure)
    given = {"cluster_name": "c", "spark_version": SPARK, "node_type_id": "Standard_D4s_v5", "num_workers": 1} | body
    assert words in _ask(azure, "POST", "/api/2.1/clusters/create", given)["message"]


def test_the_workspace_wants_a_token_for_databricks(azure: Direct) -> None:
    _workspace(azure)
    for token, status in (("", 401), ("dapi123", 403), (azure.token, 403)):
        answer = azure.ask("GET", "/api/2.1/clusters/list", token=token, service="databricks", version=None)
        assert answer.status == status
    assert (
        azure.ask("GET", "/api/2.1/jobs/list", token=json.loads(azure.log_in(DATABRICKS).body)["access_token"], service="databricks").status
        == 501
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sku": {"name": "standard"}}, "InvalidSku"),
        ({"properties": {}}, "ApplicationManagedResourceGroupIdMissing"),
        ({"properties": {"managedResourceGroupId": "{sub}/resourceGroups/rg"}}, "ApplicationManagedResourceGroupConflict"),
        (
            {
                "properties": {
                    "managedResourceGroupId": "{sub}/resourceGroups/m",
                    "parameters": {"customVirtualNetworkId": {"value": "/nowhere"}},
                }
            },
            "InvalidVirtualNetwork",
        ),
    ],
)
def test_a_workspace_azure_would_refuse(azure: Direct, change: dict[str, Any], code: str) -> None:
    body = {
        "location": "eastus",
        "sku": {"name": "premium"},
        "properties": {"managedResourceGroupId": "{sub}/resourceGroups/m"},
    } | change
    refused = azure.json("PUT", "{sub}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/dbw", body)
    assert refused["error"]["code"] == code


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/2.1/clusters/create", {"spark_version": SPARK, "node_type_id": ["x"], "num_workers": 1}),
        ("/api/2.1/clusters/create", {"spark_version": SPARK, "node_type_id": "Standard_D4s_v5", "autoscale": "many"}),
        ("/api/2.1/clusters/create", [1]),
        ("/api/2.0/policies/clusters/create", {"name": "p", "definition": "[1]"}),
        ("/api/2.0/instance-pools/create", {"instance_pool_name": "p", "node_type_id": 4}),
    ],
)
def test_a_body_of_another_shape_is_refused(azure: Direct, path: str, body: Any) -> None:
    _workspace(azure)
    assert _ask(azure, "POST", path, body)["error_code"] in ("MALFORMED_REQUEST", "INVALID_PARAMETER_VALUE")


def test_a_workspace_without_any_way_in_cannot_be_reached(azure: Direct) -> None:
    id_ = _workspace(azure)
    azure.json("PATCH", id_, {"properties": {"publicNetworkAccess": "Disabled"}})
    refused = _ask(azure, "GET", "/api/2.1/clusters/list")
    assert refused["message"].startswith("Unauthorized network access to workspace")
    network = "{sub}/resourceGroups/rg/providers/Microsoft.Network"
    azure.make(f"{network}/virtualNetworks/vn", location="eastus", properties={"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}})
    azure.make(f"{network}/virtualNetworks/vn/subnets/a", properties={"addressPrefix": "10.1.0.0/24"})
    link = [{"name": "ui", "properties": {"privateLinkServiceId": id_, "groupIds": ["databricks_ui_api"]}}]
    properties = {"subnet": {"id": f"{network}/virtualNetworks/vn/subnets/a"}, "privateLinkServiceConnections": link}
    azure.make(f"{network}/privateEndpoints/pep", location="eastus", properties=properties)
    assert _ask(azure, "GET", "/api/2.1/clusters/list") == {"clusters": []}


@pytest.mark.parametrize(("required", "to_control_plane"), [("AllRules", True), ("NoAzureDatabricksRules", False)])
def test_it_writes_rules_into_the_groups_of_its_subnets_and_azure_takes_none_without_them(
    azure: Direct, required: str, to_control_plane: bool
) -> None:
    network, group = "{sub}/resourceGroups/rg/providers/Microsoft.Network", {"location": "eastus"}
    nsg, vnet = f"{network}/networkSecurityGroups/nsg", f"{network}/virtualNetworks/vn"
    mine = {"name": "mine", "properties": _rule(4000)}
    azure.make(nsg, **group, properties={"securityRules": [mine]})
    inside = {"networkSecurityGroup": {"id": nsg}, "delegations": [{"name": "d", "properties": {"serviceName": DELEGATED}}]}
    subnets = [{"name": name, "properties": {"addressPrefix": f"10.1.{n}.0/24", **inside}} for n, name in enumerate(("host", "container"))]
    azure.make(vnet, **group, properties={"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": subnets})
    given = {"customVirtualNetworkId": vnet, "customPublicSubnetName": "host", "customPrivateSubnetName": "container"}
    azure.make(
        "{sub}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/dbw",
        **group,
        sku={"name": "premium"},
        properties={
            "managedResourceGroupId": "{sub}/resourceGroups/dbw-managed",
            "requiredNsgRules": required,
            "parameters": {name: {"value": value} for name, value in given.items()},
        },
    )
    rules = azure.json("GET", nsg)["properties"]["securityRules"]
    names = [one["name"].removeprefix("Microsoft.Databricks-workspaces_UseOnly_databricks-") for one in rules]
    assert names[:2] == ["mine", "worker-to-worker-inbound"] and len(names) == (7 if to_control_plane else 6)
    assert ("worker-to-databricks-webapp" in names) is to_control_plane
    # Put again as it is it stays; without one of them, or without a word of rules, it is refused, and nothing of it is written.
    kept = [{"name": one["name"], "properties": one["properties"]} for one in rules]
    assert azure.ask("PUT", nsg, {**group, "properties": {"securityRules": kept}}).status in (200, 201)
    for less in ({"securityRules": [mine]}, {}):
        assert azure.json("PUT", nsg, {**group, "properties": less})["error"]["code"] == "ConflictWithNetworkIntentPolicy"
    assert azure.ask("PATCH", nsg, {"tags": {"a": "b"}}).status in (200, 202)
    assert len(azure.json("GET", nsg)["properties"]["securityRules"]) == len(rules)


def test_a_group_that_is_put_without_a_word_of_its_rules_loses_them(azure: Direct) -> None:
    nsg = "{sub}/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg"
    azure.make(nsg, location="eastus")
    azure.make(f"{nsg}/securityRules/mine", properties=_rule(100))
    azure.json("PATCH", nsg, {"tags": {"a": "b"}})
    assert [one["name"] for one in azure.json("GET", nsg)["properties"]["securityRules"]] == ["mine"]
    azure.make(nsg, location="eastus", tags={"a": "b"})
    assert azure.json("GET", nsg)["properties"]["securityRules"] == []


def _rule(priority: int) -> dict[str, Any]:
    any_ = dict.fromkeys(("sourceAddressPrefix", "sourcePortRange", "destinationAddressPrefix", "destinationPortRange", "protocol"), "*")
    return {**any_, "priority": priority, "direction": "Inbound", "access": "Deny"}


def test_faults_strike_inside_a_workspace_too() -> None:
    fault = {
        "when": "POST /api/2.1/clusters/create",
        "nth": 1,
        "answer": {"status": 503, "code": "TEMPORARILY_UNAVAILABLE", "message": "Try again."},
    }
    azure = direct(section() | {"faults": [fault]})
    azure.make("{sub}/resourceGroups/rg", location="eastus")
    _workspace(azure)
    given = {"cluster_name": "c", "spark_version": SPARK, "node_type_id": "Standard_D4s_v5", "num_workers": 1}
    first, second = (_ask(azure, "POST", "/api/2.1/clusters/create", given) for _ in range(2))
    assert first == {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "Try again."}
    assert "cluster_id" in second
