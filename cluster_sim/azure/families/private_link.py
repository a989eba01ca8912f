"""Microsoft.Network, for what is reached privately: private endpoints with their interfaces, and private DNS zones.

A name is a row in its zone; nothing resolves it.
"""

from __future__ import annotations

from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError, nested_first
from cluster_sim.azure.families.network import address_in
from cluster_sim.azure.kinds import Change, Kind, resource_name
from cluster_sim.azure.store import Resource

_N = "Microsoft.Network"
_ENDPOINT_NAME = resource_name(
    r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]",
    "The name of a private endpoint has 2 to 64 word characters, '.' and '-', begins with a letter or digit and ends with one or with '_'.",
)
"""learn.microsoft.com, "Naming rules and restrictions for Azure resources", Microsoft.Network, read 2026-12-01; the words are a model's."""


def _fill_endpoint(change: Change) -> None:
    properties = change.properties
    subnet_id = str((properties.get("subnet") or {}).get("id", ""))
    subnet = change.cloud.find(subnet_id)
    if subnet is None:
        raise ArmError(400, "InvalidRequestFormat", f"Private endpoint '{change.name}' has no subnet.")
    group = change.address.group
    nic = properties.get("customNetworkInterfaceName") or f"{change.name}.nic.{change.guid('nic')}"
    nic_id = f"/subscriptions/{change.address.subscription}/resourceGroups/{group}/providers/{_N}/networkInterfaces/{nic}"
    properties["networkInterfaces"] = [{"id": nic_id}]
    connections = [
        *(properties.get("privateLinkServiceConnections") or []),
        *(properties.get("manualPrivateLinkServiceConnections") or []),
    ]
    if not connections:
        raise ArmError(400, "InvalidRequestFormat", f"Private endpoint '{change.name}' has no privateLinkServiceConnections.")
    dns: list[dict[str, Any]] = []
    for number, connection in enumerate(connections):
        inner = connection.setdefault("properties", {})
        target_id = str(inner.get("privateLinkServiceId", ""))
        target = change.cloud.find(target_id)
        if target is None:
            raise ArmError(
                400, "InvalidResourceReference", f"Resource {target_id} referenced by resource {change.address.id} was not found."
            )
        connection |= {
            "id": f"{change.address.id}/privateLinkServiceConnections/{connection.get('name', '')}",
            "type": f"{_N}/privateEndpoints/privateLinkServiceConnections",
        }
        _refuse_beside_another(change, target)
        inner["provisioningState"] = "Succeeded"
        inner["privateLinkServiceConnectionState"] = {
            "status": "Approved",
            "description": "Auto-Approved",
            "actionsRequired": "None",
        }
        for part in inner.get("groupIds") or [""]:
            dns.append({"fqdn": _fqdn(target, str(part)), "ipAddresses": [address_in(change, subnet, number + len(dns))]})
    properties["customDnsConfigs"] = dns
    properties.setdefault("manualPrivateLinkServiceConnections", [])


def _refuse_beside_another(change: Change, target: Resource) -> None:
    """A storage account takes one connection at a time: Azure/bicep-registry-modules issue 6001, read 2026-12-01."""
    if target.type.lower() != "microsoft.storage/storageaccounts":
        return
    others = (one for one in change.cloud.store.of_type(f"{_N}/privateEndpoints") if one.operation and one.key != change.address.key)
    if target.operation or any(target.key in ids_of(one) for one in others):
        change.fails = {
            "code": "StorageAccountOperationInProgress",
            "message": "Call to Microsoft.Storage/storageAccounts failed. Error message: An operation is currently performing on this "
            "storage account that requires exclusive access.",
        }


def ids_of(endpoint: Resource) -> set[str]:
    """What a private endpoint leads to, in small letters."""
    connections = endpoint.properties.get("privateLinkServiceConnections") or []
    return {str((one.get("properties") or {}).get("privateLinkServiceId", "")).lower() for one in connections}


def _fqdn(target: Resource, part: str) -> str:
    suffixes = {
        "microsoft.storage/storageaccounts": f"{part}.core.windows.net",
        "microsoft.keyvault/vaults": "vault.azure.net",
        "microsoft.cognitiveservices/accounts": "openai.azure.com"
        if target.body.get("kind") == "OpenAI"
        else "cognitiveservices.azure.com",
        "microsoft.databricks/workspaces": "azuredatabricks.net",
        "microsoft.datafactory/factories": f"{target.location}.datafactory.azure.net",
        "microsoft.containerregistry/registries": "azurecr.io",
    }
    name = (target.properties.get("customSubDomainName") or target.name) if "cognitive" in target.type.lower() else target.name
    return f"{name.lower()}.{suffixes.get(target.type.lower(), 'azure.net')}"


def _write_nic(change: Change) -> None:
    """A private endpoint brings its network interface along, as a resource of its own."""
    ip = change.properties["customDnsConfigs"][0]["ipAddresses"][0] if change.properties["customDnsConfigs"] else ""
    nic_id = change.properties["networkInterfaces"][0]["id"]
    nic = Resource(
        nic_id,
        f"{_N}/networkInterfaces",
        {
            "location": change.location,
            "properties": {
                "resourceGuid": change.guid("nic resource"),
                "ipConfigurations": [
                    {
                        "name": "privateEndpointIpConfig",
                        "properties": {"privateIPAddress": ip, "privateIPAllocationMethod": "Dynamic", "primary": True},
                    }
                ],
                "privateEndpoint": {"id": change.address.id},
            },
        },
        change.generation,
        change.cloud.now,
        change.cloud.now,
        "",
    )
    change.cloud.store.resources[nic.key] = nic


def _remove_nic(cloud: Cloud, resource: Resource) -> None:
    for row in resource.properties.get("networkInterfaces") or []:
        cloud.store.resources.pop(str(row["id"]).lower(), None)


def _fill_zone(change: Change) -> None:
    properties = change.properties
    properties |= {
        "maxNumberOfRecordSets": 25000,
        "maxNumberOfVirtualNetworkLinks": 1000,
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
        "internalId": change.guid("zone"),
    }


def _view_zone(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    links = list(cloud.store.of_type(f"{_N}/privateDnsZones/virtualNetworkLinks", resource.id))
    records = [r for r in cloud.store.under(resource.key) if r.type.startswith(f"{_N}/privateDnsZones/") and not r.type.endswith("Links")]
    shown["properties"] |= {
        "numberOfRecordSets": len(records) + 1,
        "numberOfVirtualNetworkLinks": len(links),
        "numberOfVirtualNetworkLinksWithRegistration": sum(1 for x in links if x.properties.get("registrationEnabled")),
    }


def _removing_zone(cloud: Cloud, resource: Resource) -> None:
    for link in cloud.store.of_type(f"{_N}/privateDnsZones/virtualNetworkLinks", resource.id):
        raise nested_first(link.id)


def _check_link(change: Change) -> None:
    network = str((change.properties.get("virtualNetwork") or {}).get("id", ""))
    if change.cloud.find(network) is None:
        raise ArmError(400, "BadRequest", f"The virtual network '{network}' of the link '{change.name}' was not found.")
    parent = change.address.parent
    for other in change.cloud.store.of_type(f"{_N}/privateDnsZones/virtualNetworkLinks", parent.id if parent else ""):
        if other.key != change.address.key and str((other.properties.get("virtualNetwork") or {}).get("id", "")).lower() == network.lower():
            raise ArmError(409, "Conflict", f"The virtual network '{network}' is already linked to the zone by '{other.name}'.")
    # Of two zones with one name a network would not know which to ask: learn.microsoft.com, "What is a virtual network link?", read
    # 2026-12-01. The words are as terraform-provider-azurerm's issues quote them.
    for other in change.cloud.store.of_type(f"{_N}/privateDnsZones/virtualNetworkLinks"):
        zone = other.id.split("/")[8]
        linked = str((other.properties.get("virtualNetwork") or {}).get("id", "")).lower() == network.lower()
        if parent and linked and zone.lower() == parent.name.lower() and not other.key.startswith(f"{parent.key}/"):
            raise ArmError(
                400,
                "BadRequest",
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link virtual network with "
                f"'{parent.name}' and '{zone}' zones.",
            )


def _fill_link(change: Change) -> None:
    change.properties.setdefault("registrationEnabled", False)
    change.properties["virtualNetworkLinkState"] = "Completed"


def _fill_zone_group(change: Change) -> None:
    """Each zone of the group gets the endpoint's names as A records."""
    endpoint = change.cloud.find(change.address.parent.id) if change.address.parent else None
    for config in change.properties.get("privateDnsZoneConfigs") or []:
        inner = config.setdefault("properties", {})
        zone = change.cloud.find(str(inner.get("privateDnsZoneId", "")))
        if zone is None:
            raise ArmError(
                400,
                "InvalidResourceReference",
                f"The private DNS zone {inner.get('privateDnsZoneId')} referenced by {change.address.id} was not found.",
            )
        config["id"] = f"{change.address.id}/privateDnsZoneConfigs/{config.get('name', '')}"
        rows = (endpoint.properties.get("customDnsConfigs") or []) if endpoint else []
        inner["recordSets"] = [
            {
                "recordType": "A",
                "recordSetName": row["fqdn"].split(".")[0],
                "fqdn": f"{row['fqdn'].split('.')[0]}.{zone.name}",
                "ttl": 10,
                "provisioningState": "Succeeded",
                "ipAddresses": row["ipAddresses"],
            }
            for row in rows
        ]


def private_connections(cloud: Cloud, resource: Resource) -> list[dict[str, Any]]:
    """The private endpoints that reach a resource, as it lists them itself."""
    return [
        {
            "id": f"{resource.id}/privateEndpointConnections/{endpoint.name}",
            "name": endpoint.name,
            "type": f"{resource.type}/privateEndpointConnections",
            "properties": {
                "provisioningState": "Succeeded",
                "privateEndpoint": {"id": endpoint.id},
                "privateLinkServiceConnectionState": {
                    "status": "Approved",
                    "description": "Auto-Approved",
                    "actionRequired": "None",
                },
            },
        }
        for endpoint in cloud.store.of_type("Microsoft.Network/privateEndpoints")
        if resource.key in ids_of(endpoint)
    ]


def list_private_connections(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    return {"value": private_connections(cloud, resource)}


KINDS = (
    Kind(f"{_N}/privateEndpoints", name=_ENDPOINT_NAME, references=True, fill=_fill_endpoint, written=_write_nic, removed=_remove_nic),
    Kind(f"{_N}/privateEndpoints/privateDnsZoneGroups", located=False, fill=_fill_zone_group),
    Kind(f"{_N}/privateDnsZones", everywhere=True, created=202, fill=_fill_zone, view=_view_zone, removing=_removing_zone),
    Kind(f"{_N}/privateDnsZones/virtualNetworkLinks", everywhere=True, created=202, check=_check_link, fill=_fill_link),
    *(Kind(f"{_N}/privateDnsZones/{record}", located=False, slow=False, state=False) for record in ("A", "AAAA", "CNAME", "TXT")),
)
