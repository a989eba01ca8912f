"""Holds the bodies of a Terraform plan against the typed models of Azure's own Python packages, property by property.

The stand-in held them against the facts of their types when it planned; this is a second source. It looks at names and at what may be
written; values are the stand-in's, the simulator's and Azure's matter.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from cluster_sim.mirror.azapi import validating

MODELS: dict[str, tuple[str, str]] = {
    "Microsoft.Resources/resourceGroups": ("azure.mgmt.resource.resources.models", "ResourceGroup"),
    "Microsoft.Network/networkSecurityGroups": ("azure.mgmt.network.models", "NetworkSecurityGroup"),
    "Microsoft.Network/networkSecurityGroups/securityRules": ("azure.mgmt.network.models", "SecurityRule"),
    "Microsoft.Network/publicIPAddresses": ("azure.mgmt.network.models", "PublicIPAddress"),
    "Microsoft.Network/natGateways": ("azure.mgmt.network.models", "NatGateway"),
    "Microsoft.Network/virtualNetworks": ("azure.mgmt.network.models", "VirtualNetwork"),
    "Microsoft.Network/virtualNetworks/subnets": ("azure.mgmt.network.models", "Subnet"),
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": ("azure.mgmt.network.models", "VirtualNetworkPeering"),
    "Microsoft.Network/networkInterfaces": ("azure.mgmt.network.models", "NetworkInterface"),
    "Microsoft.Compute/virtualMachines": ("azure.mgmt.compute.models", "VirtualMachine"),
    "Microsoft.Network/privateEndpoints": ("azure.mgmt.network.models", "PrivateEndpoint"),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": ("azure.mgmt.network.models", "PrivateDnsZoneGroup"),
    "Microsoft.Storage/storageAccounts": ("azure.mgmt.storage.models", "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices": ("azure.mgmt.storage.models", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": ("azure.mgmt.storage.models", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/managementPolicies": ("azure.mgmt.storage.models", "ManagementPolicy"),
    "Microsoft.KeyVault/vaults": ("azure.mgmt.keyvault.models", "VaultCreateOrUpdateParameters"),
    "Microsoft.ContainerService/managedClusters": ("azure.mgmt.containerservice.models", "ManagedCluster"),
    "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": (
        "azure.mgmt.containerservice.models",
        "MaintenanceConfiguration",
    ),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("azure.mgmt.msi.models", "Identity"),
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": (
        "azure.mgmt.msi.models",
        "FederatedIdentityCredential",
    ),
    "Microsoft.Authorization/roleAssignments": ("azure.mgmt.authorization.models", "RoleAssignmentCreateParameters"),
    "Microsoft.OperationalInsights/workspaces": ("azure.mgmt.loganalytics.models", "Workspace"),
    "Microsoft.Insights/metricAlerts": ("azure.mgmt.monitor.models", "MetricAlertResource"),
    "Microsoft.Insights/actionGroups": ("azure.mgmt.monitor.models", "ActionGroupResource"),
    "Microsoft.Insights/dataCollectionRules": ("azure.mgmt.monitor.models", "DataCollectionRuleResource"),
    "Microsoft.Insights/dataCollectionRuleAssociations": ("azure.mgmt.monitor.models", "DataCollectionRuleAssociationProxyOnlyResource"),
    "Microsoft.Databricks/workspaces": ("azure.mgmt.databricks.models", "Workspace"),
    "Microsoft.Databricks/accessConnectors": ("azure.mgmt.databricks.models", "AccessConnector"),
    "Microsoft.CognitiveServices/accounts": ("azure.mgmt.cognitiveservices.models", "Account"),
    "Microsoft.CognitiveServices/accounts/deployments": ("azure.mgmt.cognitiveservices.models", "Deployment"),
}

PLAIN: dict[str, set[str]] = {
    # azure-mgmt-monitor 7.0.0 has no diagnostic settings; Azure REST, 2021-05-01-preview, read 2026-11-24.
    "Microsoft.Insights/diagnosticSettings": {
        "properties",
        "properties.workspaceId",
        "properties.logAnalyticsDestinationType",
        "properties.logs",
        "properties.metrics",
        *(f"properties.{row}[].{name}" for row in ("logs", "metrics") for name in ("category", "enabled")),
        "properties.logs[].categoryGroup",
    },
    # azure-mgmt-privatedns is no dependency; Azure REST, private DNS 2024-06-01, read 2026-11-24.
    "Microsoft.Network/privateDnsZones": {"properties"},
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": {
        "properties",
        "properties.registrationEnabled",
        "properties.resolutionPolicy",
        "properties.virtualNetwork",
        "properties.virtualNetwork.id",
    },
    # azure-mgmt-postgresqlflexibleservers is no dependency; Azure REST, 2025-08-01, read 2026-11-29.
    "Microsoft.DBforPostgreSQL/flexibleServers": {
        "sku",
        "sku.name",
        "sku.tier",
        "properties",
        "properties.version",
        *(f"properties.storage{one}" for one in ("", ".storageSizeGB", ".autoGrow", ".tier", ".type")),
        *(f"properties.authConfig{one}" for one in ("", ".activeDirectoryAuth", ".passwordAuth", ".tenantId")),
        *(f"properties.network{one}" for one in ("", ".delegatedSubnetResourceId", ".privateDnsZoneArmResourceId", ".publicNetworkAccess")),
        *(f"properties.highAvailability{one}" for one in ("", ".mode", ".standbyAvailabilityZone")),
        *(f"properties.backup{one}" for one in ("", ".backupRetentionDays", ".geoRedundantBackup")),
    },
    "Microsoft.DBforPostgreSQL/flexibleServers/databases": {"properties", "properties.charset", "properties.collation"},
    "Microsoft.DBforPostgreSQL/flexibleServers/configurations": {"properties", "properties.value", "properties.source"},
    "Microsoft.DBforPostgreSQL/flexibleServers/administrators": {
        "properties",
        *(f"properties.{name}" for name in ("principalType", "principalName", "tenantId")),
    },
}


@dataclass(frozen=True)
class Shape:
    """A model, or for flattened models the part of it under a path."""

    cls: type
    models: ModuleType
    path: tuple[str, ...] = ()


def faults(plan: Any) -> list[str]:
    """One line a property that Azure does not know, or that only Azure writes; empty is good."""
    return [fault for kind, address, body in bodies(plan) for fault in _of(kind, address, body)]


def bodies(plan: Any) -> Iterator[tuple[str, str, Any]]:
    """(type, address, body) of everything that would be written."""
    for one in plan["resource_changes"]:
        after = one["change"].get("after") or {}
        if one["type"] in ("azapi_resource", "azapi_update_resource"):
            yield after["type"].partition("@")[0], one["address"], after.get("body") or {}


def _of(kind: str, address: str, body: Any) -> Iterator[str]:
    if kind in PLAIN:
        yield from (f"{address}: {path} is not known" for path in _paths(body) if path not in PLAIN[kind])
        return
    if kind not in MODELS:
        assert validating.knows(kind), f"{address}: nothing is known of {kind}; add it to tests/azure/bodies.py"
        return
    module, name = MODELS[kind]
    models = importlib.import_module(module)
    yield from (f"{address}: {fault}" for fault in _walk(Shape(getattr(models, name), models), body, ""))


def _walk(shape: Shape | None, value: Any, path: str) -> Iterator[str]:
    if shape is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _walk(shape, item, f"{path}[]")
    elif isinstance(value, dict):
        if shape.cls is _Map:
            for name, inner in value.items():
                yield from _walk(Shape(getattr(shape.models, shape.path[0]), shape.models), inner, f"{path}.{name}")
            return
        chosen = _chosen(shape, value)
        known = _children(chosen)
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            if name not in known:
                yield f"{where} is not known to {chosen.cls.__name__}"
            elif known[name][1]:
                yield f"{where} is written by Azure alone"
            else:
                yield from _walk(known[name][0], inner, where)


def _children(shape: Shape) -> dict[str, tuple[Shape | None, bool]]:
    """Name on the wire → (what is inside, only read)."""
    old = getattr(shape.cls, "_attribute_map", None)
    return _of_old(shape, old) if old is not None else _of_new(shape)


def _of_old(shape: Shape, attributes: dict[str, dict[str, str]]) -> dict[str, tuple[Shape | None, bool]]:
    found: dict[str, tuple[Shape | None, bool]] = {}
    read_only = {name for name, rules in getattr(shape.cls, "_validation", {}).items() if rules.get("readonly")}
    for name, about in attributes.items():
        steps = tuple(step.replace("\\.", ".") for step in re.split(r"(?<!\\)\.", about["key"]))
        if steps[: len(shape.path)] != shape.path or len(steps) == len(shape.path):
            continue
        step = steps[len(shape.path)]
        if len(steps) > len(shape.path) + 1:
            found[step] = (Shape(shape.cls, shape.models, (*shape.path, step)), False)
        else:
            inner = getattr(shape.models, about["type"].strip("[]{}"), None)
            free = about["type"].startswith("{") and not isinstance(inner, type)
            found[step] = (None if free or not _is_model(inner) else Shape(inner, shape.models), name in read_only)
    return found


def _of_new(shape: Shape) -> dict[str, tuple[Shape | None, bool]]:
    shape.cls({})  # The fields of a model are known once one was made; until then it shows those of its base.
    fields = getattr(shape.cls, "_attr_to_rest_field", {})
    notes: dict[str, Any] = {}
    for base in reversed(shape.cls.__mro__):
        notes |= getattr(base, "__annotations__", {})
    found: dict[str, tuple[Shape | None, bool]] = {}
    for name, about in fields.items():
        named = re.findall(r"_models\.(\w+)", str(notes.get(name, "")))
        inner = next((getattr(shape.models, one, None) for one in named), None)
        is_map = bool(re.search(r"dict\[str", str(notes.get(name, "")), re.IGNORECASE))
        nested = Shape(_Map, shape.models, (named[0],)) if is_map and _is_model(inner) else None
        found[about._rest_name] = (
            nested or (Shape(inner, shape.models) if _is_model(inner) else None),
            about._visibility == ["read"],
        )
    return found


class _Map:
    """Stands for a map whose values are of one model."""


def _chosen(shape: Shape, value: dict[str, Any]) -> Shape:
    """Of several models that a discriminator tells apart, the one that the body names."""
    if shape.path:
        return shape
    for key, kinds in (getattr(shape.cls, "_subtype_map", None) or {}).items():
        for name in (key, key.replace("_", "."), "odata.type", "criterionType"):
            if value.get(name) in kinds:
                return Shape(getattr(shape.models, kinds[value[name]]), shape.models)
    mapping = getattr(shape.cls, "__mapping__", None) or {}
    for name in ("type", "kind", "odata.type"):
        if value.get(name) in mapping:
            return Shape(mapping[value[name]], shape.models)
    return shape


def _is_model(found: Any) -> bool:
    return isinstance(found, type) and any(base.__name__ in ("Model", "_Model") for base in found.__mro__)


def _paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            yield where
            yield from _paths(inner, where)
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{path}[]")
