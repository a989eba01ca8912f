"""Microsoft.ContainerService, the node pools of its clusters: sizes, subnets, addresses and quota. Clusters are in `kubernetes`."""

from __future__ import annotations

import ipaddress

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError, invalid_parameter
from cluster_sim.azure.families.authorization import holds_role
from cluster_sim.azure.families.compute import check_zones, left, limit, restriction, size
from cluster_sim.azure.families.kubernetes import CLUSTER, refuse_reserved
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource

_POOL_NAME = NameRule(
    r"[a-z][a-z0-9]{0,11}",
    "InvalidParameter",
    "The value of parameter agentPoolProfile.name is invalid: '{name}'. A pool name has 1 to 12 lower-case letters and digits "
    "and begins with a letter.",
)
NODES_MAX = 1000
FIXED = ("vmSize", "availabilityZones", "osDiskType", "osDiskSizeGB", "scaleSetPriority")
"""Of a node pool, for life: learn.microsoft.com, "Create node pools" and "Reliability in AKS", read 2026-11-29."""


def _check_pool(change: Change) -> None:
    properties, cloud = change.properties, change.cloud
    cluster = cloud.find(change.address.parent.id) if change.address.parent else None
    if cluster is None:
        return
    name = str(properties.get("vmSize", "") or (change.before.properties.get("vmSize") if change.before else "") or "Standard_D4s_v5")
    properties["vmSize"] = name
    subscription, region = cloud.subscription(change.address.subscription), cluster.location
    if restriction(cloud, subscription, name, region):
        offered = sorted(s for s in table("skus")["sizes"] if not restriction(cloud, subscription, s, region))
        raise ArmError(
            400,
            "BadRequest",
            f"The VM size of {name} is not allowed in your subscription in location '{region}'. The available VM sizes are "
            f"'{','.join(offered)}'.",
        )
    for fixed in FIXED:
        old, new = (change.before.properties.get(fixed) if change.before else None), properties.get(fixed)
        if change.before and old != new and (new is not None or fixed == "availabilityZones"):
            raise ArmError(
                400, "PropertyChangeNotAllowed", f"Changing property 'properties.{fixed}' is not allowed.", target=f"properties.{fixed}"
            )
    local_gib = int((size(name) or {}).get("disk_gib") or 0)
    if properties.get("osDiskType") == "Ephemeral" and int(properties.get("osDiskSizeGB") or 0) > local_gib:
        # learn.microsoft.com, "Ephemeral OS disks on AKS", read 2026-11-29: the disk lies on the machine's own.
        raise ArmError(
            400,
            "InvalidParameter",
            f"The virtual machine size {name} has {local_gib} GB of local disk, which is not enough for an ephemeral OS disk of "
            f"{properties.get('osDiskSizeGB')} GB.",
            target="agentPoolProfile.osDiskSizeGB",
        )
    scaling = bool(properties.get("enableAutoScaling"))
    system = str(properties.get("mode", "User")).lower() == "system"
    least, most = properties.get("minCount"), properties.get("maxCount")
    if scaling and (least is None or most is None or least > most):
        raise invalid_parameter(
            f"The autoscaler of pool '{change.name}' needs minCount and maxCount with minCount at most maxCount, not {least} and {most}.",
            "agentPoolProfile.maxCount",
        )
    if not scaling and (least is not None or most is not None):
        raise invalid_parameter(
            f"Pool '{change.name}' has minCount or maxCount, but auto scaling is not enabled.", "agentPoolProfile.minCount"
        )
    count = properties.get("count")
    if count is None:
        count = change.before.properties.get("count") if change.before and scaling else least if scaling else 1
    if scaling:
        count = min(max(int(count or 0), int(least or 0)), int(most or 0))
    if not isinstance(count, int) or count < (1 if system else 0) or count > NODES_MAX:
        raise invalid_parameter(
            f"The value of parameter agentPoolProfile.count is invalid: {count}. A {'system' if system else 'user'} pool has "
            f"{1 if system else 0} to {NODES_MAX} nodes.",
            "agentPoolProfile.count",
        )
    properties["count"] = count
    subnet = properties.get("vnetSubnetID")
    if subnet and cloud.find(str(subnet)) is None:
        raise ArmError(
            400,
            "VnetSubnetIDNotFound",
            f"The subnet '{subnet}' of pool '{change.name}' was not found.",
            target="agentPoolProfile.vnetSubnetID",
        )
    if change.creating:
        check_zones(cloud, subscription, name, region, properties.get("availabilityZones"), change.name)
    _check_addresses(cluster, cloud.find(str(subnet)) if subnet else None)
    if subnet and change.creating:
        _check_identity(cloud, cluster, str(subnet))
    _check_quota(change, region, name, count)


def _check_identity(cloud: Cloud, cluster: Resource, subnet: str) -> None:
    """In a world where roles take their time, the cluster's own identity must have come through on its network.

    The refusal is in the shape of AKS's own for route tables and DNS zones (CustomRouteTableMissingPermission).
    """
    identities = (cluster.body.get("identity") or {}).get("userAssignedIdentities") or {}
    if not cloud.world.role_propagation_s:
        return
    for id_ in identities:
        found = cloud.find(id_)
        who = str(found.properties["principalId"]) if found else ""
        if not any(holds_role(cloud, who, role, subnet) for role in ("Network Contributor", "Contributor", "Owner")):
            raise ArmError(
                400,
                "CustomSubnetMissingPermission",
                f"Service principal or user assigned identity must be given permission to read and join the subnet {subnet}. "
                "If access was recently granted, please retry.",
            )


def _check_addresses(cluster: Resource, subnet: Resource | None) -> None:
    """Services, pods and nodes must not share addresses: the default 10.0.0.0/16 of services meets many a network."""
    network = cluster.properties.get("networkProfile") or {}
    services, pods = str(network.get("serviceCidr", "")), str(network.get("podCidr", ""))
    nodes = str(subnet.properties.get("addressPrefix") or (subnet.properties.get("addressPrefixes") or [""])[0]) if subnet else ""
    if nodes:
        refuse_reserved("agentPoolProfile.vnetSubnetID", ipaddress.ip_network(nodes))
    if pods and nodes and ipaddress.ip_network(pods).overlaps(ipaddress.ip_network(nodes)):
        raise invalid_parameter(f"The pod CIDR {pods} overlaps the subnet {nodes} of the nodes.", "networkProfile.podCidr")
    if services and nodes and ipaddress.ip_network(services).overlaps(ipaddress.ip_network(nodes)):
        raise ArmError(
            400,
            "ServiceCidrOverlapExistingSubnetsCidr",
            f"The specified service CIDR {services} is conflicted with an existing subnet CIDR {nodes}.",
            target="networkProfile.serviceCIDR",
        )


def _check_quota(change: Change, region: str, name: str, count: int) -> None:
    row = size(name) or {}
    subscription = change.cloud.subscription(change.address.subscription)
    wanted = row["vcpus"] * count
    spot = change.properties.get("scaleSetPriority") == "Spot"
    for family in ("lowPriorityCores",) if spot else (row["family"], "cores"):
        room = left(change.cloud, subscription, region, family, change.address.key)
        if wanted > room:
            raise ArmError(
                400,
                "ErrCode_InsufficientVCPUQuota",
                f"Insufficient vcpu quota requested {wanted}, remaining {room} for family {family} for region {region} (limit "
                f"{limit(subscription, region, family)}). "
                "If you want to increase the quota, please follow this instruction: "
                "https://learn.microsoft.com/en-us/azure/quotas/view-quotas. "
                "Surge nodes would also consume vCPU quota, please consider use smaller maxSurge or use maxUnavailable to "
                "proceed upgrade without surge nodes.",
            )


def _fill_pool(change: Change) -> None:
    properties = change.properties
    cluster = change.cloud.find(change.address.parent.id) if change.address.parent else None
    version = str((cluster.properties if cluster else {}).get("currentKubernetesVersion", ""))
    given = properties.get("orchestratorVersion")
    properties["currentOrchestratorVersion"] = given if given and str(given).count(".") == 2 else version
    properties.setdefault("orchestratorVersion", (cluster.properties if cluster else {}).get("kubernetesVersion"))
    properties["powerState"] = {"code": "Running"}
    properties["nodeImageVersion"] = "AKSUbuntu-2204gen2containerd-202611.10.0"
    for key, value in (
        ("mode", "User"),
        ("type", "VirtualMachineScaleSets"),
        ("osType", "Linux"),
        ("osSKU", "Ubuntu"),
        ("osDiskType", "Managed"),
        ("osDiskSizeGB", 128),
        ("maxPods", 250),
        ("enableNodePublicIP", False),
    ):
        properties.setdefault(key, value)


def _removing_pool(cloud: Cloud, resource: Resource) -> None:
    if str(resource.properties.get("mode")).lower() != "system":
        return
    cluster = resource.id.rsplit("/agentPools/", 1)[0]
    others = [
        p
        for p in cloud.store.of_type(f"{CLUSTER}/agentPools", cluster)
        if p.key != resource.key and str(p.properties.get("mode")).lower() == "system"
    ]
    if not others:
        raise ArmError(400, "OperationNotAllowed", f"There has to be at least one system node pool. Pool {resource.name} is the last one.")


KINDS = (Kind(f"{CLUSTER}/agentPools", located=False, name=_POOL_NAME, check=_check_pool, fill=_fill_pool, removing=_removing_pool),)
