"""Microsoft.ContainerService: clusters and their maintenance windows. Node pools are in `node_pools`.

No Kubernetes API answers behind them but by the run command.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from cluster_sim.azure.addresses import GROUP_TYPE
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError, invalid_parameter, resource_not_found
from cluster_sim.azure.families.storage import secret
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource
from cluster_sim.http import Request

CLUSTER = "Microsoft.ContainerService/managedClusters"
_CLUSTER_NAME = NameRule(
    r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?",
    "InvalidParameter",
    "The value of parameter resourceName is invalid: '{name}'. It has 1 to 63 letters, digits, '-' and '_', and begins and ends "
    "with a letter or digit.",
)
RESERVED = ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")
"""For pods, services and the cluster's network: learn.microsoft.com, "CNI networking overview in AKS", read 2026-11-29; issues 731 and
2234 of Azure/AKS tell of clusters that failed by it. The words of the refusals are a model's."""
NOT_PUBLIC = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
AUTHORIZED_MAX = 200


def _check_cluster(change: Change) -> None:
    properties = change.properties
    if not properties.get("dnsPrefix") and not properties.get("fqdnSubdomain"):
        raise invalid_parameter("Required parameter dnsPrefix is missing (null).", "dnsPrefix")
    if not re.fullmatch(
        r"[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?", str(properties.get("dnsPrefix") or properties.get("fqdnSubdomain"))
    ):
        raise invalid_parameter(
            f"The value of parameter dnsPrefix is invalid: '{properties.get('dnsPrefix')}'. It has 1 to 54 letters, digits and '-'.",
            "dnsPrefix",
        )
    if not change.body.get("identity") and not properties.get("servicePrincipalProfile"):
        raise invalid_parameter("The cluster needs an identity: neither identity nor servicePrincipalProfile is given.", "identity")
    if change.before:
        for name in ("dnsPrefix", "nodeResourceGroup"):
            old = change.before.properties.get(name)
            if name in properties and old and properties[name] != old:
                raise ArmError(
                    400,
                    "PropertyChangeNotAllowed",
                    f"Changing property 'properties.{name}' is not allowed.",
                    target=f"properties.{name}",
                )
    _version(change, properties.get("kubernetesVersion"))
    _check_ranges(properties.get("networkProfile") or {})
    _check_access(change)
    profiles = change.parts.get("agentPoolProfiles") or []
    if change.creating and not profiles:
        raise invalid_parameter("Required parameter agentPoolProfiles is missing (null).", "agentPoolProfiles")
    if change.creating and not any(str(p.get("mode", "User")).lower() == "system" for p in profiles):
        raise invalid_parameter("Must define at least one system pool.", "agentPoolProfiles.mode")
    group = properties.get("nodeResourceGroup") or f"MC_{change.address.group}_{change.name}_{change.location}"[:80]
    if change.creating and change.cloud.find(f"/subscriptions/{change.address.subscription}/resourceGroups/{group}"):
        raise ArmError(400, "NodeResourceGroupAlreadyExists", f"The node resource group {group} of cluster {change.name} exists already.")
    properties["nodeResourceGroup"] = group


def _check_ranges(network: Mapping[str, Any]) -> None:
    """Pods and services: none of AKS's own, apart from each other, and the DNS service among the services but not first."""
    given = {name: ipaddress.ip_network(str(network[name])) for name in ("podCidr", "serviceCidr") if network.get(name)}
    for name, range_ in given.items():
        refuse_reserved(f"networkProfile.{name}", range_)
    pods, services, dns = given.get("podCidr"), given.get("serviceCidr"), network.get("dnsServiceIP")
    if pods and services and pods.overlaps(services):
        raise invalid_parameter(f"The pod CIDR {pods} and the service CIDR {services} overlap.", "networkProfile.podCidr")
    if services and dns and (ipaddress.ip_address(str(dns)) not in services or ipaddress.ip_address(str(dns)) == services[1]):
        raise invalid_parameter(
            f"The DNS service IP {dns} must be within the service CIDR {services}, and not its first address.",
            "networkProfile.dnsServiceIP",
        )


def refuse_reserved(name: str, range_: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    for reserved in map(ipaddress.ip_network, RESERVED):
        if range_.version == reserved.version and range_.overlaps(reserved):
            raise invalid_parameter(f"{name} {range_} overlaps {reserved}, which AKS reserves.", name)


def _check_access(change: Change) -> None:
    """Who reaches the API: named public addresses, among them that by which the nodes themselves leave.

    learn.microsoft.com, "API server authorized IP ranges in AKS", and its issues 113991 (private addresses) and 111834 (nodes behind a NAT
    gateway that cannot register), read 2026-11-29.
    """
    access = change.properties.get("apiServerAccessProfile") or {}
    ranges = [ipaddress.ip_network(str(one), strict=False) for one in access.get("authorizedIPRanges") or []]
    where = "apiServerAccessProfile.authorizedIPRanges"
    if ranges and access.get("enablePrivateCluster"):
        raise invalid_parameter("Authorized IP ranges cannot be set on a private cluster.", where)
    if len(ranges) > AUTHORIZED_MAX:
        raise invalid_parameter(f"There are {len(ranges)} authorized IP ranges, and at most {AUTHORIZED_MAX} are allowed.", where)
    for one in ranges:
        if any(one.version == private.version and one.overlaps(private) for private in map(ipaddress.ip_network, NOT_PUBLIC)):
            raise invalid_parameter(f"The authorized IP range {one} is not a range of public addresses.", where)
    for pool in (change.parts.get("agentPoolProfiles") or []) if ranges else []:
        for address in _leaves_by(change.cloud, str(pool.get("vnetSubnetID") or "")):
            if not any(ipaddress.ip_network(address).subnet_of(one) for one in ranges if one.version == 4):  # type: ignore[arg-type]
                change.fails = {
                    "code": "CreateVMSSAgentPoolFailed",
                    "message": f"Agents of pool {pool.get('name')} cannot reach the API server from {address}: vmssCSE exit status=51.",
                }


def _leaves_by(cloud: Cloud, subnet_id: str) -> list[str]:
    """The addresses and prefixes of the NAT gateway that a subnet has; with a load balancer AKS lets them in by itself."""
    subnet = cloud.find(subnet_id) if subnet_id else None
    gateway = cloud.find(str(((subnet.properties if subnet else {}).get("natGateway") or {}).get("id", "")))
    properties = gateway.properties if gateway else {}
    ids = [str(one.get("id", "")) for name in ("publicIpAddresses", "publicIpPrefixes") for one in properties.get(name) or []]
    found = [at.properties for id_ in ids if (at := cloud.find(id_))]
    return [str(one.get("ipAddress") or one.get("ipPrefix")) for one in found if one.get("ipAddress") or one.get("ipPrefix")]


def _version(change: Change, given: Any) -> None:
    """A minor or full version, resolved to what the region runs."""
    known = change.cloud.world.kubernetes_versions
    patches = table("kubernetes")["patches"]
    text = str(
        given
        or (change.before.properties.get("kubernetesVersion") if change.before else "")
        or (table("kubernetes")["default"] if table("kubernetes")["default"] in known else known[-1])
    )
    minor = ".".join(text.split(".")[:2])
    if minor not in known:
        raise ArmError(
            400,
            "K8sVersionNotSupported",
            f"Managed cluster {change.name} is on version {text}, which is not supported in this region. Supported versions: "
            f"{', '.join(known)}. "
            "Please use [az aks get-versions] command to get the supported version list in this region.",
        )
    old = str(change.before.properties.get("currentKubernetesVersion", "")) if change.before else ""
    if old and tuple(map(int, minor.split("."))) < tuple(map(int, old.split(".")[:2])):
        raise ArmError(400, "OperationNotAllowed", f"Downgrading the Kubernetes version from {old} to {text} is not supported.")
    if old and int(minor.split(".")[1]) > int(old.split(".")[1]) + 1:
        # learn.microsoft.com, "Upgrade options for AKS clusters", read 2026-12-01: minor versions are not skipped; the words are a model's.
        raise ArmError(
            400,
            "OperationNotAllowed",
            f"Upgrading Kubernetes version {old} to {text} is not allowed: minor versions cannot be skipped.",
        )
    change.properties["kubernetesVersion"] = text
    change.properties["currentKubernetesVersion"] = text if text.count(".") == 2 else patches.get(minor, f"{minor}.0")


def _fill_cluster(change: Change) -> None:
    properties, tenant = change.properties, change.cloud.world.tenant
    tail = change.guid("dns").split("-")[0]
    prefix = properties.get("dnsPrefix") or properties.get("fqdnSubdomain")
    access = properties.get("apiServerAccessProfile") or {}
    if access.get("enablePrivateCluster"):
        properties["privateFQDN"] = f"{prefix}-{tail}.{change.guid('zone')}.privatelink.{change.location}.azmk8s.io"
    if not access.get("enablePrivateCluster") or access.get("enablePrivateClusterPublicFQDN", True):
        properties["fqdn"] = f"{prefix}-{tail}.hcp.{change.location}.azmk8s.io"
    properties["azurePortalFQDN"] = f"{prefix}-{tail}.portal.hcp.{change.location}.azmk8s.io"
    oidc = properties.setdefault("oidcIssuerProfile", {"enabled": True})
    if oidc.get("enabled"):
        oidc["issuerURL"] = f"https://{change.location}.oic.prod-aks.azure.com/{tenant.id}/{change.guid('issuer')}/"
    elif change.before and (change.before.properties.get("oidcIssuerProfile") or {}).get("enabled"):
        raise ArmError(400, "OIDCIssuerFeatureCannotBeDisabled", "OIDC issuer feature cannot be disabled once it is enabled.")
    properties["powerState"] = {"code": "Running"}
    properties["maxAgentPools"] = 100
    properties["resourceUID"] = change.guid("uid").replace("-", "")[:24]
    properties.setdefault("enableRBAC", True)
    network = properties.setdefault("networkProfile", {"networkPlugin": "kubenet"})
    if network.get("networkPlugin") == "azure" and network.get("networkPluginMode") == "overlay":
        network.setdefault("podCidr", "10.244.0.0/16")
    for key, value in (
        ("serviceCidr", "10.0.0.0/16"),
        ("dnsServiceIP", "10.0.0.10"),
        ("outboundType", "loadBalancer"),
        ("loadBalancerSku", "standard"),
        ("ipFamilies", ["IPv4"]),
    ):
        network.setdefault(key, value)
    kubelet = (properties.get("identityProfile") or {}).get("kubeletidentity")
    if not kubelet:
        name = f"{change.name}-agentpool"
        at = f"/subscriptions/{change.address.subscription}/resourcegroups/{properties['nodeResourceGroup']}"
        properties["identityProfile"] = {
            "kubeletidentity": {
                "resourceId": f"{at}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
                "clientId": change.guid("kubelet client"),
                "objectId": change.guid("kubelet"),
            }
        }
    if not properties.get("servicePrincipalProfile"):
        properties["servicePrincipalProfile"] = {"clientId": "msi"}
    sku = change.body.setdefault("sku", {"name": "Base", "tier": "Free"})
    sku.setdefault("tier", "Free")


def _written_cluster(change: Change) -> None:
    managed_group(change, change.properties["nodeResourceGroup"])


def managed_group(change: Change, name: str) -> None:
    """The group a service keeps its own parts in: it is there, and it belongs to the service."""
    id_ = f"/subscriptions/{change.address.subscription}/resourceGroups/{name}"
    if change.cloud.find(id_) is None:
        body = {
            "location": change.location,
            "managedBy": change.address.id,
            "tags": dict(change.body.get("tags") or {}),
            "properties": {},
        }
        group = Resource(id_, GROUP_TYPE, body, change.cloud.store.next_generation(), change.cloud.now, change.cloud.now, "")
        change.cloud.store.resources[group.key] = group


def remove_managed_group(cloud: Cloud, resource: Resource, name: str) -> None:
    group = cloud.find(f"/subscriptions/{resource.id.split('/')[2]}/resourceGroups/{name}")
    if group is not None and str(group.body.get("managedBy", "")).lower() == resource.key:
        cloud.remove(group)


def _removed_cluster(cloud: Cloud, resource: Resource) -> None:
    remove_managed_group(cloud, resource, str(resource.properties.get("nodeResourceGroup", "")))


def _view_cluster(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    """Pools are resources of their own; the cluster lists them flat, those it was made with first."""
    shown["properties"]["agentPoolProfiles"] = [
        {"name": pool.name, **pool.properties, "provisioningState": pool.state}
        for pool in cloud.store.of_type(f"{CLUSTER}/agentPools", resource.id)
    ]


def _check_window(change: Change) -> None:
    names = ("default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
    if change.name not in names:
        raise invalid_parameter(f"The maintenance configuration '{change.name}' must be one of {', '.join(names)}.", "configName")


def _kubeconfig(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    host = resource.properties.get("privateFQDN") or resource.properties.get("fqdn")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": resource.name,
                "cluster": {"server": f"https://{host}:443", "certificate-authority-data": secret(resource, "ca")},
            }
        ],
        "users": [{"name": f"clusterUser_{resource.group}_{resource.name}", "user": {"token": secret(resource, "user", 24)}}],
        "contexts": [
            {
                "name": resource.name,
                "context": {"cluster": resource.name, "user": f"clusterUser_{resource.group}_{resource.name}"},
            }
        ],
        "current-context": resource.name,
    }
    return {"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(json.dumps(config).encode()).decode()}]}


def _admin_kubeconfig(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    if resource.properties.get("disableLocalAccounts"):
        raise ArmError(400, "BadRequest", "Getting static credential is not allowed because this cluster is set to disable local accounts.")
    return _kubeconfig(cloud, resource, body)


def _versions(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    patches = table("kubernetes")["patches"]
    return {
        "values": [
            {
                "version": version,
                "isDefault": version == table("kubernetes")["default"],
                "capabilities": {"supportPlan": ["KubernetesOfficial", "AKSLongTermSupport"]},
                "patchVersions": {patches.get(version, f"{version}.0"): {"upgrades": []}},
            }
            for version in cloud.world.kubernetes_versions
        ]
    }


def _later(cloud: Cloud, version: str) -> list[dict[str, Any]]:
    """The next minor version, patched: a cluster skips none."""
    patches = table("kubernetes")["patches"]
    minor = tuple(map(int, version.split(".")[:2]))
    found = [one for one in cloud.world.kubernetes_versions if tuple(map(int, one.split("."))) > minor]
    return [{"kubernetesVersion": patches.get(one, f"{one}.0")} for one in found[:1]]


def _upgrades(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    """Of a cluster, or of one of its pools. Azure REST, Managed Clusters and Agent Pools - Get Upgrade Profile, 2025-10-01."""
    cluster = cloud.find(words["cluster"])
    pools = list(cloud.store.of_type(f"{CLUSTER}/agentPools", words["cluster"]))
    pool = next((one for one in pools if one.name.lower() == str(words["pool"]).lower()), None)
    if cluster is None or (words["pool"] and pool is None):
        raise resource_not_found(words["cluster"].rpartition("/providers/")[2], words["group"])
    version = str(cluster.properties["currentKubernetesVersion"])
    profile = {"kubernetesVersion": version, "osType": "Linux", "upgrades": _later(cloud, version)}
    of = pool or cluster
    return {
        "id": f"{of.id}/upgradeProfiles/default",
        "name": "default",
        "type": f"{of.type}/upgradeProfiles",
        "properties": profile
        if pool
        else {"controlPlaneProfile": profile, "agentPoolProfiles": [{**profile, "name": one.name} for one in pools]},
    }


def _pool_versions(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    version = str(resource.properties["currentKubernetesVersion"])
    rows = [{"kubernetesVersion": version, "default": True, "isPreview": False}]
    return {"id": f"{resource.id}/availableAgentPoolVersions", "name": "default", "properties": {"agentPoolVersions": rows}}


KINDS = (
    Kind(
        CLUSTER,
        name=_CLUSTER_NAME,
        stamped=True,
        parts={"agentPoolProfiles": "agentPools"},
        flat_parts=True,
        check=_check_cluster,
        fill=_fill_cluster,
        written=_written_cluster,
        removed=_removed_cluster,
        view=_view_cluster,
        actions={
            "listClusterUserCredential": _kubeconfig,
            "listClusterMonitoringUserCredential": _kubeconfig,
            "listClusterAdminCredential": _admin_kubeconfig,
            "availableAgentPoolVersions": _pool_versions,
        },
    ),
    Kind(f"{CLUSTER}/maintenanceConfigurations", located=False, slow=False, state=False, created=200, stamped=True, check=_check_window),
    Kind(f"{CLUSTER}/trustedAccessRoleBindings", located=False),
    Kind("Microsoft.KubernetesConfiguration/extensions", located=False, extends=True, stamped=True),
)

ROUTES = (
    ("GET", r"{subscription}/providers/Microsoft\.ContainerService/{location}/kubernetesVersions", _versions),
    (
        "GET",
        r"(?P<cluster>{subscription}/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.ContainerService/managedClusters/[^/]+)"
        r"(?:/agentPools/(?P<pool>[^/]+))?/upgradeProfiles/default",
        _upgrades,
    ),
)
