"""Microsoft.KeyVault: vaults, which stay by name after deletion until they are purged.

Secrets and keys themselves are not simulated.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families.private_link import list_private_connections, private_connections
from cluster_sim.azure.families.storage import check_network_rules
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource
from cluster_sim.http import Answer, Request

_V = "Microsoft.KeyVault/vaults"
RETENTION_DAYS = 90
_NAME = NameRule(
    r"(?=.{3,24}$)[A-Za-z](-?[A-Za-z0-9])*",
    "VaultNameNotValid",
    "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a "
    "letter, end with a letter or digit, "
    "and not contain consecutive hyphens.",
)


def _check(change: Change) -> None:
    properties = change.properties
    if not properties.get("sku"):
        raise ArmError(400, "BadRequest", "The request is missing the vault's properties.sku.")
    tenant = properties.setdefault("tenantId", change.cloud.world.tenant.id)
    if str(tenant).lower() != change.cloud.world.tenant.id.lower():
        raise ArmError(400, "BadRequest", f"The tenant ID '{tenant}' in the request does not match the tenant of the subscription.")
    if properties.get("enablePurgeProtection") is False:
        raise ArmError(
            400,
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an '
            "irreversible action.",
        )
    if change.before and change.before.properties.get("enablePurgeProtection") and not properties.get("enablePurgeProtection"):
        properties["enablePurgeProtection"] = True
    days = properties.get("softDeleteRetentionInDays", RETENTION_DAYS)
    if not isinstance(days, int) or not 7 <= days <= 90:
        raise ArmError(400, "BadRequest", f"The property 'softDeleteRetentionInDays' is {days}; it must be between 7 and 90.")
    if change.before and days != change.before.properties.get("softDeleteRetentionInDays"):
        raise ArmError(400, "BadRequest", 'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.')
    check_network_rules(change, "Microsoft.KeyVault")
    recover = properties.pop("createMode", "default") == "recover"
    if change.creating:
        _take_name(change, recover)


def _take_name(change: Change, recover: bool) -> None:
    gone = _deleted(change.cloud, change.name)
    if gone and recover:
        change.cloud.store.deleted.pop(gone.key)
        return
    if gone:
        raise ArmError(
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. "
            "Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
        )
    if _taken(change.cloud, change.name):
        raise ArmError(
            409,
            "VaultAlreadyExists",
            f"The vault name '{change.name}' is already in use. Vault names are globally unique so it is possible that the name "
            "is already taken. "
            "If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently "
            "deleted but not purged "
            "after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be "
            "purged before reusing the name.",
        )


def _taken(cloud: Cloud, name: str) -> bool:
    return name.lower() in cloud.world.taken_names["vaults"] or any(r.name.lower() == name.lower() for r in cloud.store.of_type(_V))


def _deleted(cloud: Cloud, name: str) -> Resource | None:
    return next((r for r in cloud.store.deleted.values() if r.type == _V and r.name.lower() == name.lower()), None)


def _fill(change: Change) -> None:
    properties = change.properties
    properties["vaultUri"] = f"https://{change.name.lower()}.vault.azure.net/"
    properties["enableSoftDelete"] = properties.get("enableSoftDelete", True)
    properties.setdefault("softDeleteRetentionInDays", RETENTION_DAYS)
    properties.setdefault("accessPolicies", [])
    properties.setdefault("publicNetworkAccess", "Enabled")
    for name in ("enabledForDeployment", "enableRbacAuthorization"):
        properties.setdefault(name, False)


def _check_secret(change: Change) -> None:
    if change.creating and not isinstance(change.properties.get("value"), str):
        raise ArmError(400, "BadRequest", f"The secret '{change.name}' has no properties.value.")


def _fill_secret(change: Change) -> None:
    """A secret written through ARM can never be read back through it."""
    change.properties.pop("value", None)
    _name_version(change, "secretUri", "secrets")


def _fill_key(change: Change) -> None:
    _name_version(change, "keyUri", "keys")


def _name_version(change: Change, property_: str, shelf: str) -> None:
    version = change.guid(f"version {change.cloud.now}").replace("-", "")
    uri = f"https://{change.address.names[0].lower()}.vault.azure.net/{shelf}/{change.name}"
    change.properties.update({property_: uri, f"{property_}WithVersion": f"{uri}/{version}"})


def _view(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    if found := private_connections(cloud, resource):
        shown["properties"]["privateEndpointConnections"] = found
    # Whatever the casing that they were sent in; hashicorp/terraform-provider-azurerm#11099, Azure/azure-cli PR 10365, read 2026-11-29.
    for rule in (shown["properties"].get("networkAcls") or {}).get("virtualNetworkRules") or ():
        rule["id"] = str(rule.get("id", "")).lower()


def _removed(cloud: Cloud, resource: Resource) -> None:
    cloud.keep_deleted(resource)


def _show_deleted(cloud: Cloud, resource: Resource) -> dict[str, Any]:
    days = int(resource.properties.get("softDeleteRetentionInDays", RETENTION_DAYS))
    subscription = resource.id.split("/")[2]
    purge = resource.changed_at_s + dt.timedelta(days=days).total_seconds()
    properties = {
        "vaultId": resource.id,
        "location": resource.location,
        "tags": resource.body.get("tags") or {},
        "deletionDate": stamp(resource.changed_at_s),
        "scheduledPurgeDate": stamp(purge),
    }
    if resource.properties.get("enablePurgeProtection"):
        properties["purgeProtectionEnabled"] = True
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{resource.location}/deletedVaults/{resource.name}",
        "name": resource.name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": properties,
    }


def _in(cloud: Cloud, words: dict[str, str]) -> list[Resource]:
    expire(cloud)
    prefix = f"/subscriptions/{words['subscription']}/".lower()
    return [r for r in cloud.store.deleted.values() if r.type == _V and r.key.startswith(prefix)]


def expire(cloud: Cloud) -> None:
    """Azure purges by itself when the retention is over."""
    for key, resource in list(cloud.store.deleted.items()):
        days = int(resource.properties.get("softDeleteRetentionInDays", RETENTION_DAYS))
        if resource.type == _V and resource.changed_at_s + days * 86400 <= cloud.now:
            cloud.store.deleted.pop(key)


def _list_deleted(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    return {"value": [_show_deleted(cloud, r) for r in _in(cloud, words)]}


def _one(cloud: Cloud, words: dict[str, str]) -> Resource:
    for resource in _in(cloud, words):
        if resource.name.lower() == words["name"].lower() and resource.location == words["location"].lower():
            return resource
    raise ArmError(404, "DeletedVaultNotFound", f"The specified deleted vault '{words['name']}' does not exist.")


def _no_modules(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    """There can be no managed HSM here, so none was deleted."""
    cloud.subscription(words["subscription"])
    return {"value": []}


def _get_deleted(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    return _show_deleted(cloud, _one(cloud, words))


def _purge(cloud: Cloud, words: dict[str, str], request: Request) -> Answer:
    resource = _one(cloud, words)
    if resource.properties.get("enablePurgeProtection"):
        raise ArmError(
            405,
            "DeletedVaultPurge",
            'Operation "DeletedVaultPurge" is not allowed because purge protection is enabled on this vault '
            f"'{resource.name}'. Key Vault service will automatically purge it after the retention period has passed.",
        )
    cloud.store.deleted.pop(resource.key)
    return Answer(200)


def _available(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    name = str((request.json or {}).get("name", ""))
    expire(cloud)
    there = _taken(cloud, name) or _deleted(cloud, name) is not None
    return _NAME.available(name, there, f"The vault name '{name}' is already in use.", "AccountNameInvalid")


KINDS = (
    Kind(
        _V,
        slow_delete=False,
        name=_NAME,
        stamped=True,
        check=_check,
        fill=_fill,
        view=_view,
        removed=_removed,
        actions={"privateEndpointConnections": list_private_connections},
    ),
    Kind(f"{_V}/accessPolicies", located=False, slow=False, state=False),
    Kind(f"{_V}/secrets", located=False, slow=False, state=False, created=200, check=_check_secret, fill=_fill_secret),
    Kind(f"{_V}/keys", located=False, slow=False, state=False, created=200, fill=_fill_key),
)

_PLACE = r"{subscription}/providers/Microsoft\.KeyVault/"
ROUTES = (
    ("GET", _PLACE + "deletedVaults", _list_deleted),
    ("GET", _PLACE + "deletedManagedHSMs", _no_modules),
    ("GET", _PLACE + r"{location}/deletedVaults/(?P<name>[^/]+)", _get_deleted),
    ("POST", _PLACE + r"{location}/deletedVaults/(?P<name>[^/]+)/purge", _purge),
    ("POST", _PLACE + "checkNameAvailability", _available),
)
