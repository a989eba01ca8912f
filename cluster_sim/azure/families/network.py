"""Microsoft.Network: networks and their subnets, security groups, egress, firewalls.

Addresses are checked; no packet ever moves. Private endpoints and their names are in `private_link`.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Mapping
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families.network_intent import check_group
from cluster_sim.azure.kinds import Change, Kind, resource_name
from cluster_sim.azure.store import Resource
from cluster_sim.http import Request

_N = "Microsoft.Network"
_NAME = resource_name()
NOT_IN_NETWORKS = ("224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32")
"""Multicast, broadcast, loopback, link-local, Azure's own DNS and health probes: learn.microsoft.com, "Virtual Network FAQ", read
2026-11-29."""
_FIRST_HOST = 4
_DESCRIPTION_MAX = 140
"""Azure REST, Security Rules - Create Or Update, 2024-05-01; the code and the words are a model's."""


def _prefixes(properties: Mapping[str, Any], one: str, many: str) -> list[str]:
    value = properties.get(many) or []
    return [str(v) for v in value] if value else [str(properties[one])] if properties.get(one) else []


def _networks(texts: list[str], what: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(text) for text in texts]
    except ValueError as problem:
        raise ArmError(400, "InvalidAddressPrefixFormat", f"Address prefix of {what} has an invalid format: {problem}.") from None


def _check_peering(change: Change) -> None:
    """Two networks whose ranges meet cannot be peered: learn.microsoft.com, "Create, change, or delete a virtual network peering", read
    2026-11-29."""
    here = change.cloud.find(change.address.parent.id) if change.address.parent else None
    remote_id = str((change.properties.get("remoteVirtualNetwork") or {}).get("id", ""))
    remote = change.cloud.find(remote_id)
    if here is None:
        return
    if remote is None:
        raise ArmError(400, "InvalidResourceReference", f"Resource {remote_id} referenced by resource {change.address.id} was not found.")
    _refuse_changing(change, here, remote)
    for one, other in itertools.product(space_of(here), space_of(remote)):
        if one.version == other.version and one.overlaps(other):
            raise ArmError(
                400,
                "VnetAddressSpacesOverlap",
                f"Cannot create or update peering {change.address.id}. Virtual networks {here.id} and {remote.id} cannot be peered because "
                f"their address spaces overlap. Overlapping address prefixes: {one}, {other}.",
            )


def _refuse_changing(change: Change, *networks: Resource) -> None:
    """A network that is at another change, be it of a subnet or a peering, takes no peering: hashicorp/terraform-provider-azurerm issues
    2605 and its pull request 3392, Azure-Samples/azuresandbox issue 267, read 2026-12-01."""
    for network in networks:
        inside = (one for one in change.cloud.store.under(network.key) if one.key != change.address.key)
        if busy := next((one for one in (network, *inside) if one.operation), None):
            raise ArmError(
                400,
                "ReferencedResourceNotProvisioned",
                f"Cannot proceed with operation because resource {network.id} used by resource {change.address.id} is not in Succeeded "
                f"state. Resource is in Updating state and the last operation that updated/is updating the resource is of {busy.id}.",
            )


def space_of(network: Resource) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return _networks([str(one) for one in (network.properties.get("addressSpace") or {}).get("addressPrefixes") or ()], network.name)


def _view_peering(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    """Connected once the other side has one back; Azure REST, Virtual Network Peerings, 2024-05-01."""
    network = resource.key.rsplit("/virtualnetworkpeerings/", 1)[0]
    remote = str((resource.properties.get("remoteVirtualNetwork") or {}).get("id", "")).lower()
    back = cloud.store.of_type(resource.type, remote)
    mutual = any(str((one.properties.get("remoteVirtualNetwork") or {}).get("id", "")).lower() == network for one in back)
    shown["properties"] |= {"peeringState": "Connected" if mutual else "Initiated", "peeringSyncLevel": "FullyInSync"}


def _check_vnet(change: Change) -> None:
    texts = [str(t) for t in (change.properties.get("addressSpace") or {}).get("addressPrefixes") or []]
    if not texts and not (change.properties.get("addressSpace") or {}).get("ipamPoolPrefixAllocations"):
        raise ArmError(
            400,
            "InvalidRequestFormat",
            f"Cannot parse the request: virtual network '{change.name}' has no addressSpace.addressPrefixes.",
        )
    space = _networks(texts, f"virtual network {change.name}")
    for one, reserved in itertools.product(space, map(ipaddress.ip_network, NOT_IN_NETWORKS)):
        if one.version == reserved.version and one.overlaps(reserved):
            raise ArmError(
                400,
                "AddressPrefixNotAllowed",
                f"The address prefix {one} of virtual network {change.name} overlaps {reserved}, which Azure keeps to itself.",
            )
    for subnet in change.cloud.store.of_type(f"{_N}/virtualNetworks/subnets", change.address.id):
        for inside in _networks(_prefixes(subnet.properties, "addressPrefix", "addressPrefixes"), subnet.name):
            if not any(_holds(outer, inside) for outer in space):
                raise ArmError(
                    400,
                    "InUsePrefixCannotBeDeleted",
                    f"IpPrefix of the address space of {change.name} is in use by subnet {subnet.id} and cannot be deleted.",
                )


def _holds(outer: Any, inner: Any) -> bool:
    return bool(outer.version == inner.version and inner.subnet_of(outer))


def _check_subnet(change: Change) -> None:
    parent = change.address.parent
    vnet = change.cloud.find(parent.id) if parent else None
    mine = _networks(_prefixes(change.properties, "addressPrefix", "addressPrefixes"), f"subnet {change.name}")
    if vnet is None:
        return
    if not mine:
        raise ArmError(400, "InvalidRequestFormat", f"Cannot parse the request: subnet '{change.name}' has no addressPrefix.")
    space = _networks([str(t) for t in (vnet.properties.get("addressSpace") or {}).get("addressPrefixes") or []], vnet.name)
    for network in mine:
        if space and not any(_holds(outer, network) for outer in space):
            raise ArmError(
                400,
                "NetcfgInvalidSubnet",
                f"Subnet '{change.name}' is not valid because its IP address range is outside the IP address range of virtual "
                f"network '{vnet.name}'.",
            )
        for other in change.cloud.store.of_type(f"{_N}/virtualNetworks/subnets", vnet.id):
            if other.key == change.address.key:
                continue
            if any(
                network.overlaps(o)
                for o in _networks(_prefixes(other.properties, "addressPrefix", "addressPrefixes"), other.name)
                if o.version == network.version
            ):
                raise ArmError(
                    400,
                    "NetcfgSubnetRangesOverlap",
                    f"Subnet '{change.name}' is not valid because its IP address range overlaps with that of an existing subnet "
                    f"'{other.name}' in virtual network '{vnet.name}'.",
                )


def _fill_subnet(change: Change) -> None:
    properties = change.properties
    properties.setdefault("privateEndpointNetworkPolicies", "Disabled")
    properties.setdefault("privateLinkServiceNetworkPolicies", "Enabled")
    for delegation in properties.get("delegations") or []:
        inner = delegation.setdefault("properties", {})
        delegation["id"] = f"{change.address.id}/delegations/{delegation.get('name', '')}"
        inner["provisioningState"] = "Succeeded"
    for endpoint in properties.get("serviceEndpoints") or []:
        endpoint["provisioningState"] = "Succeeded"
        endpoint.setdefault("locations", ["*"])


def _check_rule(change: Change) -> None:
    properties = change.properties
    if len(str(properties.get("description") or "")) > _DESCRIPTION_MAX:
        raise ArmError(400, "SecurityRuleInvalidDescription", f"Security rule {change.name}: its description has more than 140 characters.")
    priority = properties.get("priority")
    if not isinstance(priority, int) or not 100 <= priority <= 4096:
        raise ArmError(
            400,
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096. Rule: {change.address.id}.",
        )
    for name, allowed in (
        ("direction", ("Inbound", "Outbound")),
        ("access", ("Allow", "Deny")),
        ("protocol", ("*", "Tcp", "Udp", "Icmp", "Esp", "Ah")),
    ):
        if str(properties.get(name, "")).lower() not in {a.lower() for a in allowed}:
            raise ArmError(
                400,
                "InvalidRequestFormat",
                f"Security rule {change.name} has an invalid {name} '{properties.get(name)}'. Allowed: {', '.join(allowed)}.",
            )
    for name in ("sourcePortRange", "destinationPortRange"):
        given = properties.get(name + "s") or ([properties[name]] if properties.get(name) else [])
        if not given:
            raise ArmError(
                400,
                "SecurityRuleParameterNotSpecified",
                f"Required security rule parameter is not specified: {name}. Rule: {change.address.id}.",
            )
        for port in given:
            if not _is_port_range(str(port)):
                raise ArmError(
                    400,
                    "SecurityRuleInvalidPortRange",
                    f"Security rule has invalid Port range. Value provided: {port}. Value should be an integer OR integer range "
                    f"with '-' delimiter. Valid range 0-65535. Rule: {change.address.id}.",
                )
    parent = change.address.parent
    for other in change.cloud.store.of_type(f"{_N}/networkSecurityGroups/securityRules", parent.id if parent else ""):
        same = (
            other.properties.get("priority") == priority
            and str(other.properties.get("direction")).lower() == str(properties.get("direction")).lower()
        )
        if same and other.key != change.address.key:
            raise ArmError(
                400,
                "SecurityRuleConflict",
                f"Security rule {change.name} conflicts with rule {other.name}. Rules cannot have the same Priority and "
                "Direction. "
                "To resolve this issue, either delete the existing rule, or change the Priority or Direction of the new rule.",
            )


def _is_port_range(text: str) -> bool:
    if text == "*":
        return True
    parts = text.split("-")
    return len(parts) <= 2 and all(p.isdigit() and int(p) <= 65535 for p in parts) and int(parts[0]) <= int(parts[-1])


def _default_rules(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    rows = (
        ("AllowVnetInBound", "Inbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
        ("AllowAzureLoadBalancerInBound", "Inbound", "Allow", 65001, "AzureLoadBalancer", "*"),
        ("DenyAllInBound", "Inbound", "Deny", 65500, "*", "*"),
        ("AllowVnetOutBound", "Outbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
        ("AllowInternetOutBound", "Outbound", "Allow", 65001, "*", "Internet"),
        ("DenyAllOutBound", "Outbound", "Deny", 65500, "*", "*"),
    )
    shown["properties"]["defaultSecurityRules"] = [
        {
            "name": name,
            "id": f"{resource.id}/defaultSecurityRules/{name}",
            "type": f"{_N}/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "provisioningState": "Succeeded",
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
            },
        }
        for name, direction, access, priority, source, destination in rows
    ]
    _attached("subnets", "networkSecurityGroup")(cloud, resource, shown)


def _attached(property_: str, by: str) -> Any:
    """What points at this resource, shown from its side: a NAT gateway's subnets."""

    def view(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
        found = [
            {"id": r.id}
            for r in cloud.store.of_type(f"{_N}/virtualNetworks/subnets")
            if str((r.properties.get(by) or {}).get("id", "")).lower() == resource.key
        ]
        if found:
            shown["properties"][property_] = found

    return view


def _fill_public_ip(change: Change) -> None:
    properties = change.properties
    properties.setdefault("publicIPAllocationMethod", "Static" if (change.body.get("sku") or {}).get("name") == "Standard" else "Dynamic")
    properties.setdefault("publicIPAddressVersion", "IPv4")
    properties.setdefault("idleTimeoutInMinutes", 4)
    change.body.setdefault("sku", {"name": "Basic", "tier": "Regional"}).setdefault("tier", "Regional")
    # TEST-NET-3 is reserved for documentation: an address nobody can have.
    properties["ipAddress"] = f"203.0.113.{change.generation % 254 + 1}"
    properties["resourceGuid"] = change.guid("resource")


def _fill_prefix(change: Change) -> None:
    _fill_guid(change)
    length = int(change.properties.setdefault("prefixLength", 28))
    change.properties["ipPrefix"] = str(ipaddress.ip_network(f"203.0.113.{change.generation % 254}/{length}", strict=False))


def _fill_guid(change: Change) -> None:
    change.properties["resourceGuid"] = change.guid("resource")


def _fill_interface(change: Change) -> None:
    _fill_guid(change)
    for number, config in enumerate(change.properties.get("ipConfigurations") or []):
        inner = config.setdefault("properties", {})
        subnet = change.cloud.find(str((inner.get("subnet") or {}).get("id", "")))
        if subnet is None:
            raise ArmError(400, "MissingSubnet", f"IP configuration {config.get('name')} of {change.name} names no subnet.")
        inner.setdefault("privateIPAllocationMethod", "Dynamic")
        inner.setdefault("privateIPAddressVersion", "IPv4")
        inner["primary"] = number == 0
        before = (change.before.properties.get("ipConfigurations") or [{}])[:1] if change.before else [{}]
        kept = (before[0].get("properties") or {}).get("privateIPAddress")
        if inner["privateIPAllocationMethod"] == "Dynamic":
            inner["privateIPAddress"] = kept or address_in(change, subnet, number)


def address_in(change: Change, subnet: Resource, offset: int) -> str:
    """The next free address of the subnet; Azure keeps the first four and the last for itself."""
    network = _networks(_prefixes(subnet.properties, "addressPrefix", "addressPrefixes"), subnet.name)[0]
    taken = {
        address
        for other in change.cloud.store.of_type(f"{_N}/privateEndpoints")
        if other.key != change.address.key and str((other.properties.get("subnet") or {}).get("id", "")).lower() == subnet.key
        for row in other.properties.get("customDnsConfigs") or []
        for address in row["ipAddresses"]
    }
    taken |= {
        str(inner.get("privateIPAddress"))
        for other in change.cloud.store.of_type(f"{_N}/networkInterfaces")
        for inner in (config.get("properties") or {} for config in other.properties.get("ipConfigurations") or [])
        if other.key != change.address.key and str((inner.get("subnet") or {}).get("id", "")).lower() == subnet.key
    }
    free = (str(network[n]) for n in range(_FIRST_HOST, network.num_addresses - 1))
    candidates = [a for _, a in zip(range(len(taken) + offset + 1), free, strict=False)]
    unused = [a for a in candidates if a not in taken]
    if len(unused) <= offset and len(candidates) < len(taken) + offset + 1:
        raise ArmError(
            400,
            "SubnetIsFull",
            f"Subnet {subnet.name} with address prefix {network} does not have enough capacity for 1 IP addresses.",
        )
    return unused[offset] if offset < len(unused) else unused[-1]


def _fill_firewall(change: Change) -> None:
    change.properties.setdefault("threatIntelMode", "Alert")
    for number, config in enumerate(change.properties.get("ipConfigurations") or []):
        inner = config.setdefault("properties", {})
        subnet = change.cloud.find(str((inner.get("subnet") or {}).get("id", "")))
        if subnet is not None:
            if subnet.name != "AzureFirewallSubnet":
                raise ArmError(
                    400,
                    "AzureFirewallInvalidSubnetName",
                    f"Subnet of Azure Firewall {change.name} must be called AzureFirewallSubnet, not {subnet.name}.",
                )
            inner["privateIPAddress"] = address_in(change, subnet, number)


_VNET_USED = (
    "InUseSubnetCannotBeDeleted",
    "Subnet {name} is in use by {user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet.",
)

KINDS = (
    Kind(
        f"{_N}/virtualNetworks",
        name=resource_name(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]"),
        parts={"subnets": "subnets"},
        references=True,
        used_by=("InUseSubnetCannotBeDeleted", "The virtual network {name} is in use by {user} and cannot be deleted."),
        check=_check_vnet,
        fill=_fill_guid,
    ),
    Kind(
        f"{_N}/virtualNetworks/subnets",
        located=False,
        name=_NAME,
        references=True,
        used_by=_VNET_USED,
        check=_check_subnet,
        fill=_fill_subnet,
    ),
    Kind(
        f"{_N}/virtualNetworks/virtualNetworkPeerings",
        located=False,
        name=_NAME,
        references=True,
        check=_check_peering,
        view=_view_peering,
    ),
    Kind(
        f"{_N}/networkSecurityGroups",
        name=_NAME,
        parts={"securityRules": "securityRules"},
        # pulumi/pulumi-azure-native, issue 1087, read 2026-12-01: a group put without them has lost those made by themselves.
        unsaid_parts_go=True,
        used_by=(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            "Network security group {id} cannot be deleted because it is in use by the following resources: {user}.",
        ),
        check=check_group,
        fill=_fill_guid,
        view=_default_rules,
        actions={"defaultSecurityRules": lambda cloud, group, _: {"value": cloud.show(group)["properties"]["defaultSecurityRules"]}},
    ),
    Kind(f"{_N}/networkSecurityGroups/securityRules", located=False, name=_NAME, check=_check_rule),
    Kind(
        f"{_N}/routeTables",
        name=_NAME,
        parts={"routes": "routes"},
        used_by=("InUseRouteTableCannotBeDeleted", "Route table {id} is in use and cannot be deleted: {user}."),
        fill=_fill_guid,
        view=_attached("subnets", "routeTable"),
    ),
    Kind(f"{_N}/routeTables/routes", located=False, name=_NAME),
    Kind(
        f"{_N}/publicIPAddresses",
        name=_NAME,
        used_by=(
            "PublicIPAddressCannotBeDeleted",
            "Public IP address {id} can not be deleted since it is still allocated to resource {user}.",
        ),
        fill=_fill_public_ip,
    ),
    Kind(f"{_N}/publicIPPrefixes", name=_NAME, fill=_fill_prefix),
    Kind(
        f"{_N}/natGateways",
        name=_NAME,
        references=True,
        used_by=("InUseNatGatewayCannotBeDeleted", "NAT gateway {id} is in use by {user} and cannot be deleted."),
        fill=_fill_guid,
        view=_attached("subnets", "natGateway"),
    ),
    Kind(
        f"{_N}/networkInterfaces",
        name=_NAME,
        references=True,
        used_by=(
            "NicInUse",
            "Network Interface {id} is used by existing resource {user}. In order to delete the network interface, it must be dissociated "
            "from the resource. To learn more, see aka.ms/deletenic.",
        ),
        fill=_fill_interface,
    ),
    Kind(f"{_N}/azureFirewalls", name=_NAME, references=True, fill=_fill_firewall),
    Kind(f"{_N}/firewallPolicies", name=_NAME),
    Kind(f"{_N}/firewallPolicies/ruleCollectionGroups", located=False, name=_NAME),
    Kind(f"{_N}/networkWatchers", name=_NAME, slow=False),
    Kind(f"{_N}/networkWatchers/flowLogs", name=_NAME),
    Kind(f"{_N}/bastionHosts", name=_NAME, references=True),
)

# Defaults of a region, by Microsoft Learn, "Azure subscription and service limits", networking limits, read 2026-11-30.
_LIMITS = {
    "virtualNetworks": ("VirtualNetworks", "Virtual Networks", 1000),
    "networkSecurityGroups": ("NetworkSecurityGroups", "Network Security Groups", 5000),
    "publicIPAddresses": ("PublicIPAddresses", "Public IP Addresses", 1000),
    "networkInterfaces": ("NetworkInterfaces", "Network Interfaces", 65536),
    "routeTables": ("RouteTables", "Route Tables", 200),
    "natGateways": ("NatGateways", "NAT Gateways", 1000),
}


def _usages(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    at, region = f"/subscriptions/{words['subscription']}", words["location"].lower()
    return {
        "value": [
            {
                "id": f"{at}/providers/Microsoft.Network/locations/{region}/usages/{name}",
                "unit": "Count",
                "currentValue": sum(one.location == region for one in cloud.store.of_type(f"{_N}/{segment}", at)),
                "limit": limit,
                "name": {"value": name, "localizedValue": title},
            }
            for segment, (name, title, limit) in _LIMITS.items()
        ]
    }


ROUTES = (("GET", r"{subscription}/providers/Microsoft\.Network/{location}/usages", _usages),)
