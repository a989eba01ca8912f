"""Microsoft.Databricks as ARM sees it: workspaces and access connectors. What is inside a workspace is `workspace`'s matter."""

from __future__ import annotations

from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.errors import ArmError, invalid_parameter
from cluster_sim.azure.families.kubernetes import managed_group, remove_managed_group
from cluster_sim.azure.families.network_intent import SUBNETS, WORKSPACE, parameter, put_rules
from cluster_sim.azure.families.private_link import private_connections
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource

_NAME = NameRule(
    r"[A-Za-z0-9_-]{3,64}",
    "InvalidParameter",
    "The workspace name '{name}' is invalid. It has 3 to 64 letters, digits, '-' and '_'.",
)
_DELEGATION = "Microsoft.Databricks/workspaces"
_SKUS = ("premium", "trial", "standard")


def _check(change: Change) -> None:
    properties, cloud = change.properties, change.cloud
    sku = str((change.body.get("sku") or {}).get("name", "")).lower()
    if sku not in _SKUS:
        raise invalid_parameter(f"The SKU '{sku}' of workspace '{change.name}' is not one of {', '.join(_SKUS)}.", "sku")
    if sku == "standard" and change.creating:
        raise ArmError(
            400,
            "InvalidSku",
            "The Databricks Standard tier was retired on 1 October 2026. Create the workspace with the premium tier.",
        )
    managed = str(properties.get("managedResourceGroupId", ""))
    if not managed:
        raise ArmError(400, "ApplicationManagedResourceGroupIdMissing", f"The workspace '{change.name}' has no 'managedResourceGroupId'.")
    if change.before and str(change.before.properties.get("managedResourceGroupId", "")).lower() != managed.lower():
        raise ArmError(400, "ApplicationUpdateFail", "The property 'managedResourceGroupId' of a workspace cannot be changed.")
    there = cloud.find(managed)
    if change.creating and there is not None:
        raise ArmError(
            409,
            "ApplicationManagedResourceGroupConflict",
            f"The managed resource group '{managed}' exists already. It must be a group that is not there yet.",
        )
    _check_network(change)
    if change.creating and _free_slot(cloud) is None:
        raise ArmError(
            501,
            "NotSimulated",
            f"This world serves {cloud.world.databricks_workspaces_max} Databricks workspaces at once (databricks_workspaces_max "
            "in its file).",
        )


def _check_network(change: Change) -> None:
    vnet = parameter(change.properties, "customVirtualNetworkId")
    if not vnet:
        return
    network = change.cloud.find(str(vnet))
    if network is None:
        raise ArmError(400, "InvalidVirtualNetwork", f"The virtual network '{vnet}' of workspace '{change.name}' was not found.")
    if network.location != change.location:
        raise ArmError(
            400,
            "InvalidVirtualNetwork",
            f"The virtual network is in {network.location} and the workspace in {change.location}; they must be in the same region.",
        )
    for name in SUBNETS:
        subnet_name = parameter(change.properties, name)
        subnet = change.cloud.find(f"{network.id}/subnets/{subnet_name}")
        if subnet is None:
            raise ArmError(
                400,
                "SubnetNotFound",
                f"The subnet '{subnet_name}' ({name}) was not found in the virtual network '{network.name}'.",
            )
        delegated = {str((d.get("properties") or {}).get("serviceName", "")).lower() for d in subnet.properties.get("delegations") or []}
        if _DELEGATION.lower() not in delegated:
            raise ArmError(400, "SubnetDelegationMissing", f"The subnet '{subnet_name}' is not delegated to {_DELEGATION}.")
        if not subnet.properties.get("networkSecurityGroup"):
            raise ArmError(400, "SubnetNetworkSecurityGroupMissing", f"The subnet '{subnet_name}' has no network security group.")


def _slots(cloud: Cloud) -> set[int]:
    return {int(r.properties["simulatedSlot"]) for r in cloud.store.of_type(WORKSPACE)}


def _free_slot(cloud: Cloud) -> int | None:
    taken = _slots(cloud)
    return next((n for n in range(1, cloud.world.databricks_workspaces_max + 1) if n not in taken), None)


def service_name(slot: int) -> str:
    """The service a workspace answers on: each has a port of its own, for a workspace is known by its host."""
    return "databricks" if slot == 1 else f"databricks_{slot}"


def _fill(change: Change) -> None:
    properties = change.properties
    made = change.before.created_at_s if change.before else change.cloud.now
    # A number in the range Databricks uses, the same at every look.
    number = int(change.guid("workspace").replace("-", ""), 16) % 9 * 10**15 + int(change.guid("workspace")[:8], 16)
    properties |= {
        "workspaceId": str(number),
        "simulatedSlot": change.before.properties["simulatedSlot"] if change.before else _free_slot(change.cloud),
        "createdDateTime": stamp(made),
        "createdBy": {"oid": change.cloud.world.tenant.object_id, "applicationId": change.cloud.world.tenant.client_id},
        "authorizations": [
            {"principalId": "9a74af6f-d153-4348-988a-e2672920bee9", "roleDefinitionId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}
        ],
    }
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties.setdefault("requiredNsgRules", "AllRules")
    parameters = properties.setdefault("parameters", {})
    for name, value in (("enableNoPublicIp", True), ("prepareEncryption", False), ("requireInfrastructureEncryption", False)):
        parameters.setdefault(name, {"value": value})
    for row in parameters.values():
        if isinstance(row, dict) and "value" in row:
            row.setdefault("type", "Bool" if isinstance(row["value"], bool) else "String")


def _view(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    slot = int(shown["properties"].pop("simulatedSlot"))
    url = cloud.urls.get(service_name(slot), "")
    shown["properties"]["workspaceUrl"] = url.removeprefix("https://").rstrip("/")
    if found := private_connections(cloud, resource):
        shown["properties"]["privateEndpointConnections"] = found


def _written(change: Change) -> None:
    managed_group(change, str(change.properties["managedResourceGroupId"]).rstrip("/").rsplit("/", 1)[-1])
    put_rules(change)


def _removed(cloud: Cloud, resource: Resource) -> None:
    cloud.store.content.pop(resource.key, None)
    remove_managed_group(cloud, resource, str(resource.properties["managedResourceGroupId"]).rstrip("/").rsplit("/", 1)[-1])


KINDS = (
    Kind(WORKSPACE, name=_NAME, stamped=True, check=_check, fill=_fill, written=_written, view=_view, removed=_removed),
    Kind("Microsoft.Databricks/accessConnectors", stamped=True),
)
