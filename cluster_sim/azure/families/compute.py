"""Microsoft.Compute: what a region offers and what is left of a quota.

Disks are just enough to fill an existing subscription; machines are in virtual_machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.kinds import Change, Kind, resource_name
from cluster_sim.azure.running import machines
from cluster_sim.azure.world import Subscription
from cluster_sim.http import Request

_C = "Microsoft.Compute"
AKS_POOL = "Microsoft.ContainerService/managedClusters/agentPools"
AKS = "Microsoft.ContainerService/managedClusters"


def size(name: str) -> dict[str, Any] | None:
    """The row of a VM size, whatever case it is asked in."""
    found: dict[str, Any] | None = next((row for known, row in table("skus")["sizes"].items() if known.lower() == name.lower()), None)
    return found


def restriction(cloud: Cloud, subscription: Subscription, name: str, region: str) -> str:
    """Why a size cannot be had in a region by this subscription, or nothing."""
    row = size(name)
    if row is None or region not in row.get("regions", [region]):
        return "NotOffered"
    for rule in subscription.sku_restrictions:
        if rule.region == region and not rule.zones and fnmatchcase(name.lower(), rule.sku.lower()):
            return rule.reason
    return ""


def zones_shut(subscription: Subscription, name: str, region: str) -> tuple[str, ...]:
    """Zones of a region in which this subscription cannot have a size that it has in others."""
    rules = (one for one in subscription.sku_restrictions if one.region == region and fnmatchcase(name.lower(), one.sku.lower()))
    return tuple(sorted({zone for one in rules for zone in one.zones}))


def check_zones(cloud: Cloud, subscription: Subscription, name: str, region: str, zones: Any, what: str) -> None:
    """learn.microsoft.com, "Resolve errors for SKU not available", read 2026-12-01: a size may be shut in single zones."""
    offered = [one for one in _zones(cloud, region) if one not in zones_shut(subscription, name, region)]
    if wrong := [str(one) for one in zones or () if str(one) not in offered]:
        raise ArmError(
            400,
            "AvailabilityZoneNotSupported",
            f"The zone(s) '{','.join(wrong)}' for resource '{what}' is not supported. The supported zones for location '{region}' are "
            f"'{','.join(offered)}'",
        )


def _zones(cloud: Cloud, region: str) -> list[str]:
    return ["1", "2", "3"] if cloud.world.regions[region]["zones"] else []


def cores_used(cloud: Cloud, subscription: Subscription, region: str, leaving_out: str = "") -> dict[str, int]:
    """vCPUs in use by family, by what exists in this world and what others use."""
    used = {family: quota.used for family, quota in subscription.quotas.get(region, {}).items()}
    for name, count, spot in _machines(cloud, subscription, region, leaving_out):
        row = size(name)
        if row is None:
            continue
        family = "lowPriorityCores" if spot else row["family"]
        used[family] = used.get(family, 0) + row["vcpus"] * count
        if not spot:
            used["cores"] = used.get("cores", 0) + row["vcpus"] * count
    return used


def limit(subscription: Subscription, region: str, family: str) -> int:
    granted = subscription.quotas.get(region, {}).get(family)
    if granted is not None:
        return granted.limit
    defaults = table("skus")["default_limits"]
    if family in defaults:
        return int(defaults[family])
    gpu = any(row.get("gpus") for row in table("skus")["sizes"].values() if row["family"] == family)
    return int(defaults["gpu_family" if gpu else "family"])


def left(cloud: Cloud, subscription: Subscription, region: str, family: str, leaving_out: str = "") -> int:
    return limit(subscription, region, family) - cores_used(cloud, subscription, region, leaving_out).get(family, 0)


def _machines(cloud: Cloud, subscription: Subscription, region: str, leaving_out: str) -> Iterator[tuple[str, int, bool]]:
    prefix = f"/subscriptions/{subscription.id}/".lower()
    for resource in cloud.store.resources.values():
        if not resource.key.startswith(prefix) or resource.key == leaving_out:
            continue
        properties = resource.properties
        if resource.type == f"{_C}/virtualMachines" and resource.location == region:
            yield str((properties.get("hardwareProfile") or {}).get("vmSize", "")), 1, properties.get("priority") == "Spot"
        elif resource.type == AKS_POOL:
            cluster = cloud.find(resource.id.rsplit("/agentPools/", 1)[0])
            if cluster is not None and cluster.location == region:
                yield (
                    str(properties.get("vmSize", "")),
                    int(properties.get("count") or 0),
                    properties.get("scaleSetPriority") == "Spot",
                )
        elif resource.type == "Microsoft.Databricks/workspaces" and resource.location == region:
            yield from machines(cloud, resource)


def _usages(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    subscription, region = cloud.subscription(words["subscription"]), words["location"].lower()
    used = cores_used(cloud, subscription, region)
    rows = [
        ("cores", "Total Regional vCPUs"),
        ("lowPriorityCores", "Total Regional Low-priority vCPUs"),
        *table("skus")["families"].items(),
    ]
    count = sum(1 for r in cloud.store.of_type(f"{_C}/virtualMachines", f"/subscriptions/{subscription.id}") if r.location == region)
    machines = {
        "limit": 25000,
        "unit": "Count",
        "currentValue": count,
        "name": {"value": "virtualMachines", "localizedValue": "Virtual Machines"},
    }
    return {
        "value": [
            machines,
            *(
                {
                    "limit": limit(subscription, region, name),
                    "unit": "Count",
                    "currentValue": used.get(name, 0),
                    "name": {"value": name, "localizedValue": words_},
                }
                for name, words_ in rows
            ),
        ]
    }


def _skus(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    """Every size in every region, one row each, as the resource SKUs API lists them."""
    subscription = cloud.subscription(words["subscription"])
    text = dict(request.query).get("$filter", "")
    wanted = text.split("'")[1].lower() if text.replace(" ", "").lower().startswith("locationeq'") else ""
    if text and not wanted:
        raise ArmError(400, "BadRequest", f"The filter '{text}' is not supported: only location eq '…' is.")
    value = []
    for region in cloud.world.regions:
        if wanted and region != wanted:
            continue
        for name, row in table("skus")["sizes"].items():
            why = restriction(cloud, subscription, name, region)
            if why == "NotOffered":
                continue
            zones, shut = _zones(cloud, region), zones_shut(subscription, name, region)
            kinds = [("Location", zones, why)] if why else [("Zone", list(shut), "NotAvailableForSubscription")] if shut else []
            value.append(
                {
                    "resourceType": "virtualMachines",
                    "name": name,
                    "tier": "Standard",
                    "size": name.removeprefix("Standard_"),
                    "family": row["family"],
                    "locations": [region],
                    "locationInfo": [{"location": region, "zones": zones, "zoneDetails": []}],
                    "capabilities": [{"name": k, "value": v} for k, v in _capabilities(row).items()],
                    "restrictions": [
                        {
                            "type": kind,
                            "values": [region],
                            "restrictionInfo": {"locations": [region], "zones": where},
                            "reasonCode": reason,
                        }
                        for kind, where, reason in kinds
                    ],
                }
            )
    return {"value": value}


def data_disks_max(row: dict[str, Any]) -> int:
    """Two a vCPU, and 32 at most, as the pages of the D and E series of version 5 list them; of other series that is a model."""
    return min(32, 2 * int(row["vcpus"]))


def _capabilities(row: dict[str, Any]) -> dict[str, str]:
    found = {
        "vCPUs": str(row["vcpus"]),
        "MemoryGB": str(row["memory_gib"]),
        "MaxResourceVolumeMB": str(int(row.get("disk_gib", 0)) * 1024),
        "MaxDataDiskCount": str(data_disks_max(row)),
        "PremiumIO": "True",
        "AcceleratedNetworkingEnabled": "True",
        "EphemeralOSDiskSupported": str(bool(row.get("disk_gib"))),
        "EncryptionAtHostSupported": "True",
        "LowPriorityCapable": "True",
        "CpuArchitectureType": "x64",
        "HyperVGenerations": "V1,V2",
    }
    return found | ({"GPUs": str(row["gpus"])} if row.get("gpus") else {})


def check_size(change: Change) -> None:
    name = str((change.properties.get("hardwareProfile") or {}).get("vmSize", ""))
    subscription = change.cloud.subscription(change.address.subscription)
    if why := restriction(change.cloud, subscription, name, change.location):
        raise ArmError(
            409,
            "SkuNotAvailable",
            f"The requested VM size '{name}' is currently not available in location '{change.location}' ({why}). Please try "
            "another size or deploy to a different location or different zone.",
        )
    row = size(name) or {}
    for family in (row["family"], "cores"):
        room = left(change.cloud, subscription, change.location, family, change.address.key)
        if row["vcpus"] > room:
            most = limit(subscription, change.location, family)
            raise ArmError(
                409,
                "OperationNotAllowed",
                f"Operation could not be completed as it results in exceeding approved {family} Cores quota. Additional details "
                "- Deployment Model: Resource Manager, "
                f"Location: {change.location}, Current Limit: {most}, Current Usage: {most - room}, Additional Required: "
                f"{row['vcpus']}, (Minimum) New Limit Required: {most - room + row['vcpus']}.",
            )


KINDS = (
    Kind(f"{_C}/disks", name=resource_name(), created=202),  # azure-mgmt-compute takes 200 and 202, and no 201
    Kind(f"{_C}/diskEncryptionSets", name=resource_name()),
)

ROUTES = (
    ("GET", r"{subscription}/providers/Microsoft\.Compute/{location}/usages", _usages),
    ("GET", r"{subscription}/providers/Microsoft\.Compute/skus", _skus),
)
