"""Whatever is asked, the simulated Azure answers with a status and never breaks: requests made up at random."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure_site import Direct, direct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_sim.azure.families import KINDS

TYPES = sorted(kind.type for kind in KINDS.values() if "/resourceGroups" not in kind.type)
KEYS = [
    "location",
    "sku",
    "name",
    "tier",
    "kind",
    "identity",
    "type",
    "userAssignedIdentities",
    "properties",
    "tags",
    "value",
    "id",
    "addressSpace",
    "addressPrefixes",
    "addressPrefix",
    "subnets",
    "securityRules",
    "priority",
    "agentPoolProfiles",
    "count",
    "vmSize",
    "dnsPrefix",
    "networkProfile",
    "managedResourceGroupId",
    "parameters",
    "model",
    "capacity",
    "networkAcls",
    "virtualNetworkRules",
    "privateLinkServiceConnections",
    "subnet",
    "privateDnsZoneConfigs",
    "roleDefinitionId",
    "principalId",
    "logs",
    "workspaceId",
    "severity",
    "criteria",
    "scopes",
    "actions",
    "amount",
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.text(max_size=6),
    st.sampled_from(["eastus", "10.1.0.0/16", "Standard_LRS", "Standard_D4s_v5", "S0", "premium"]),
)
BODIES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4), max_leaves=12
)


@pytest.fixture(scope="module")
def any_azure() -> Direct:
    azure = direct()
    azure.make("{sub}/resourceGroups/rg", location="eastus")
    return azure


def _path(type_: str, name: str) -> str:
    namespace, *segments = type_.split("/")
    return f"{{sub}}/resourceGroups/rg/providers/{namespace}" + "".join(f"/{s}/{name}" for s in segments)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    type_=st.sampled_from(TYPES),
    name=st.sampled_from(["ab", "default", "abc123", "A-b_c", "x" * 90, "%41"]),
    method=st.sampled_from(["PUT", "PUT", "PUT", "PATCH", "GET", "DELETE", "POST", "HEAD"]),
    located=st.booleans(),
    body=BODIES,
)
def test_a_body_of_any_shape_is_answered(any_azure: Direct, type_: str, name: str, method: str, located: bool, body: Any) -> None:
    if located and isinstance(body, dict):
        body = {"location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}} | body
    answer = any_azure.ask(method, _path(type_, name), body)
    assert 200 <= answer.status < 502
    if answer.status >= 400 and method != "HEAD":
        assert json.loads(answer.body)["error"]["message"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.sampled_from(
            [
                "subscriptions",
                "resourceGroups",
                "rg",
                "providers",
                "Microsoft.Storage",
                "storageAccounts",
                "locations",
                "eastus",
                "usages",
                "a b",
                "é",
                "..",
                "",
                "listKeys",
            ]
        ),
        max_size=9,
    ),
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "OPTIONS", "TRACE"]),
)
def test_a_path_of_any_shape_is_answered(any_azure: Direct, parts: list[str], method: str) -> None:
    answer = any_azure.ask(method, "{sub}/" + "/".join(parts), {} if method == "PUT" else None)
    assert 200 <= answer.status < 502
