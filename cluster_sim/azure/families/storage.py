"""Microsoft.Storage: accounts, their services, containers and rules.

Of the data plane blobs are served (`cluster_sim.azure.blobs`); the other endpoints are names, and nothing answers there.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families.private_link import list_private_connections, private_connections
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource
from cluster_sim.http import Request

_S = "Microsoft.Storage/storageAccounts"
ACCOUNT_NAME = NameRule(
    r"[a-z0-9]{3,24}",
    "AccountNameInvalid",
    "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use "
    "numbers and lower-case letters only.",
)
_CONTAINER_NAME = NameRule(
    r"(?=.{3,63}$)[a-z0-9](-?[a-z0-9])*|\$root|\$web|\$logs",
    "ContainerOperationFailure",
    "The specified resource name contains invalid characters: '{name}'. A container name has 3 to 63 lower-case letters, digits "
    "and single hyphens.",
)
CONTAINER_GOES_SECONDS = 30.0
"""The least for which the name of a deleted container is not free (Microsoft Learn, "Delete Container", read 2026-11-30)."""
_SERVICES = ("blob", "dfs", "file", "queue", "table", "web")


def _check(change: Change) -> None:
    sku = (change.body.get("sku") or {}).get("name")
    if not sku:
        raise ArmError(400, "InvalidRequestPropertyValue", "The value 'null' is not allowed for property sku.name.")
    if str(sku) not in {f"{tier}_{kind}" for tier in ("Standard", "Premium") for kind in ("LRS", "ZRS", "GRS", "GZRS", "RAGRS", "RAGZRS")}:
        raise ArmError(400, "SkuNotAvailable", f"The SKU '{sku}' is not available for storage accounts.")
    if str(sku).endswith("ZRS") and not change.cloud.world.regions[change.location]["zones"]:
        raise ArmError(
            400,
            "RedundancyConfigurationNotAvailableInRegion",
            f"The redundancy '{sku}' is not available in region '{change.location}'.",
        )
    if not change.body.get("kind"):
        raise ArmError(400, "InvalidRequestPropertyValue", "The value 'null' is not allowed for property kind.")
    check_network_rules(change, "Microsoft.Storage")
    if change.creating and taken(change.cloud, change.name):
        raise ArmError(409, "StorageAccountAlreadyTaken", f"The storage account named {change.name} is already taken.")
    if change.before:
        for name, code in (
            ("isHnsEnabled", "IsHnsEnabled"),
            ("encryption.requireInfrastructureEncryption", "RequireInfrastructureEncryption"),
        ):
            old, new = _look(change.before.properties, name), _look(change.properties, name)
            if new is not None and bool(old) != bool(new):
                raise ArmError(
                    409,
                    "AccountPropertyCannotBeUpdated",
                    f"The property '{code}' was specified in the input, but it cannot be updated as it is read-only.",
                    target=name,
                )
            if new is None and old is not None and "." not in name:
                change.properties[name] = old


def check_network_rules(change: Change, service: str) -> None:
    """A subnet can be let in only where it is there and has the service endpoint."""
    for rule in (change.properties.get("networkAcls") or {}).get("virtualNetworkRules") or []:
        subnet = change.cloud.find(str(rule.get("id", "")))
        if subnet is None:
            raise ArmError(
                400,
                "NetworkAclsValidationFailure",
                f"Validation of network acls failure: SubnetsNotProvisioned: the subnet {rule.get('id')} was not found.",
            )
        offered = {str(row.get("service", "")).removesuffix(".Global").lower() for row in subnet.properties.get("serviceEndpoints") or []}
        if service.lower() not in offered:
            network = subnet.id.split("/subnets/")[0].rsplit("/", 1)[1]
            raise ArmError(
                400,
                "NetworkAclsValidationFailure",
                f"Validation of network acls failure: SubnetsHaveNoServiceEndpointsConfigured: Subnets {subnet.name} of virtual "
                f"network {network} do not have "
                f"ServiceEndpoints for {service} resources configured. Add {service} to subnet's ServiceEndpoints collection "
                f"before trying to ACL {service} "
                "resources to these subnets.",
            )


def taken(cloud: Cloud, name: str) -> bool:
    there = (r.name.lower() for r in cloud.store.of_type(_S))
    return name.lower() in cloud.world.taken_names["storage"] or name.lower() in there


def _look(properties: dict[str, Any], path: str) -> Any:
    value: Any = properties
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _fill(change: Change) -> None:
    name, properties = change.name, change.properties
    hns = bool(properties.get("isHnsEnabled"))
    services = [s for s in _SERVICES if change.body.get("kind") != "BlockBlobStorage" or s in ("blob", "dfs", "web")]
    properties |= {
        "primaryEndpoints": {s: f"https://{name}.{'z13.web' if s == 'web' else s}.core.windows.net/" for s in services},
        "primaryLocation": change.location,
        "statusOfPrimary": "available",
        "creationTime": stamp(change.before.created_at_s if change.before else change.cloud.now),
    }
    sku = change.body["sku"]["name"]
    change.body["sku"]["tier"] = sku.split("_")[0]
    pair = change.cloud.world.regions[change.location]["pair"]
    if "GRS" in sku or "GZRS" in sku:
        properties |= {"secondaryLocation": pair, "statusOfSecondary": "available"}
    for key, value in (
        ("supportsHttpsTrafficOnly", True),
        ("minimumTlsVersion", "TLS1_0"),
        ("allowBlobPublicAccess", False),
        ("accessTier", "Hot"),
        ("isHnsEnabled", hns),
    ):
        properties.setdefault(key, value)
    properties.setdefault("networkAcls", {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"})
    properties.setdefault(
        "encryption",
        {"services": {s: {"keyType": "Account", "enabled": True} for s in ("file", "blob")}, "keySource": "Microsoft.Storage"},
    )
    properties["privateEndpointConnections"] = []


def _view(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    shown["properties"]["privateEndpointConnections"] = private_connections(cloud, resource)


def _keys(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    return {
        "keys": [
            {
                "keyName": f"key{n}",
                "value": secret(resource, f"key{n}"),
                "permissions": "FULL",
                "creationTime": stamp(resource.created_at_s),
            }
            for n in (1, 2)
        ]
    }


def secret(resource: Resource, label: str, octets: int = 64) -> str:
    seed = f"{resource.key}#{resource.generation}#{label}".encode()
    return base64.b64encode(hashlib.shake_256(seed).digest(octets)).decode()


def _check_container(change: Change) -> None:
    account = change.cloud.find(change.address.id.split("/blobServices/")[0])
    gone_at_s = change.cloud.store.content.get(change.address.key, {}).get("gone_at_s")
    # An account that was made since has none that are going.
    if (
        change.creating
        and account
        and gone_at_s is not None
        and account.created_at_s <= gone_at_s > change.cloud.now - CONTAINER_GOES_SECONDS
    ):
        raise ArmError(409, "ContainerBeingDeleted", "The specified container is being deleted. Try operation later.")
    public = change.properties.get("publicAccess", "None")
    if public != "None" and account and not account.properties.get("allowBlobPublicAccess"):
        raise ArmError(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")


def _fill_container(change: Change) -> None:
    for key, value in (("publicAccess", "None"), ("hasImmutabilityPolicy", False), ("hasLegalHold", False), ("deleted", False)):
        change.properties.setdefault(key, value)
    properties = change.properties
    if change.creating:
        change.cloud.store.content.pop(change.address.key, None)
    properties |= {"leaseStatus": "Unlocked", "leaseState": "Available", "lastModifiedTime": stamp(change.cloud.now)}


def _removed_container(cloud: Cloud, resource: Resource) -> None:
    """Its name is free again a little later, unless the account went with it."""
    cloud.store.content.pop(resource.key, None)
    if cloud.find(resource.id.split("/blobServices/")[0]) is not None:
        cloud.store.content[resource.key] = {"gone_at_s": cloud.now}


def _fill_service(change: Change) -> None:
    change.properties.setdefault("cors", {"corsRules": []})
    change.properties.setdefault("deleteRetentionPolicy", {"allowPermanentDelete": False, "enabled": False})


def _available(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    name = str((request.json or {}).get("name", ""))
    return ACCOUNT_NAME.available(name, taken(cloud, name), f"The storage account named {name} is already taken.", "AccountNameInvalid")


def _usages(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    count = sum(1 for r in cloud.store.of_type(_S, f"/subscriptions/{words['subscription']}") if r.location == words["location"].lower())
    return {
        "value": [
            {
                "unit": "Count",
                "currentValue": count,
                "limit": 250,
                "name": {"value": "StorageAccounts", "localizedValue": "Storage Accounts"},
            }
        ]
    }


KINDS = (
    Kind(
        _S,
        created=202,
        slow_delete=False,
        name=ACCOUNT_NAME,
        check=_check,
        fill=_fill,
        view=_view,
        actions={"listKeys": _keys, "regenerateKey": _keys, "privateEndpointConnections": list_private_connections},
    ),
    *(
        Kind(f"{_S}/{service}", located=False, slow=False, state=False, created=200, singleton="default", fill=_fill_service)
        for service in ("blobServices", "fileServices", "queueServices", "tableServices")
    ),
    Kind(
        f"{_S}/blobServices/containers",
        located=False,
        slow=False,
        state=False,
        name=_CONTAINER_NAME,
        check=_check_container,
        fill=_fill_container,
        removed=_removed_container,
    ),
    Kind(f"{_S}/fileServices/shares", located=False, slow=False, state=False),
    # azure-mgmt-storage takes 200 alone.
    Kind(f"{_S}/queueServices/queues", located=False, slow=False, state=False, created=200),
    Kind(f"{_S}/tableServices/tables", located=False, slow=False, state=False, created=200),
    Kind(f"{_S}/managementPolicies", located=False, slow=False, state=False, created=200),
    Kind(f"{_S}/localUsers", located=False, slow=False, state=False),
)

ROUTES = (
    ("POST", r"{subscription}/providers/Microsoft\.Storage/checkNameAvailability", _available),
    ("GET", r"{subscription}/providers/Microsoft\.Storage/{location}/usages", _usages),
)
