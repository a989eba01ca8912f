"""Microsoft.EventHub: namespaces, event hubs and consumer groups. No event is ever sent.

Microsoft Learn, "Azure Event Hubs quotas and limits" and "Scaling with Event Hubs"; names: arm-types of 2026-01-01; all read 2026-11-30.
"""

from __future__ import annotations

from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families.storage import secret
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource

NAMESPACE = "Microsoft.EventHub/namespaces"
HUB, RULE = f"{NAMESPACE}/eventhubs", f"{NAMESPACE}/authorizationRules"
_TIERS = {"Basic": (32, 24, 1), "Standard": (32, 168, 20), "Premium": (100, 2160, 100)}
"""Partitions of a hub, hours that it keeps events, and its consumer groups: the most that a tier allows."""
_NAME = NameRule(
    r"(?=.{6,50}$)[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]",
    "BadRequest",
    "The specified service namespace '{name}' is invalid. It has 6 to 50 letters, digits and '-', and begins with a letter.",
)


_HUBS = {"Basic": 10, "Standard": 10, "Premium": 100}
"""Hubs of a namespace; of Premium, for each of its units."""
_CAPACITY = {"Basic": range(1, 41), "Standard": range(1, 41), "Premium": (1, 2, 4, 6, 8, 10, 12, 16)}
UNITS_MAX = 40


def _hub_name(most: int, what: str) -> NameRule:
    middle = rf"(?=.{{1,{most}}}$)[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
    return NameRule(rf"{middle}|\$Default" if what == "consumer group" else middle, "BadRequest", f"The {what} name '{{name}}' is invalid.")


def _check(change: Change) -> None:
    sku = change.body.get("sku") or {}
    name = sku.get("name")
    if name not in _TIERS or sku.get("tier", name) != name:
        raise _bad(f"The SKU of namespace '{change.name}' must be one of {', '.join(_TIERS)}, and its tier is the same.")
    capacity = sku.get("capacity", 1)
    if not isinstance(capacity, int) or capacity not in _CAPACITY[name]:
        raise _bad(f"The capacity '{capacity}' is not one that the tier {name} has.")
    if change.before and "Premium" in (was := {change.before.body["sku"]["name"], name}) and len(was) > 1:
        raise _bad(f"A namespace does not become {name} from {change.before.body['sku']['name']}.")
    inflates, most = change.properties.get("isAutoInflateEnabled", False), change.properties.get("maximumThroughputUnits", 0)
    if inflates and name != "Standard":
        raise _bad("Auto-inflate is for namespaces of the tier Standard.")
    if not isinstance(most, int) or not (capacity <= most <= UNITS_MAX if inflates else most == 0):
        raise _bad(f"MaximumThroughputUnits is from the capacity to {UNITS_MAX} with auto-inflate, and 0 without.")
    taken = (one.name.lower() for one in change.cloud.store.of_type(NAMESPACE))
    if change.creating and change.name.lower() in taken:
        raise ArmError(409, "Conflict", f"Namespace name '{change.name}' is not available.")


def _bad(text: str) -> ArmError:
    return ArmError(400, "BadRequest", text)


def _fill(change: Change) -> None:
    change.body["sku"] = {"tier": change.body["sku"]["name"], "capacity": 1, **change.body["sku"]}
    made = stamp(change.before.created_at_s if change.before else change.cloud.now)
    given = {"publicNetworkAccess": "Enabled", "disableLocalAuth": False, "isAutoInflateEnabled": False, "minimumTlsVersion": "1.2"}
    change.body["properties"] = {
        **given,
        "maximumThroughputUnits": 0,
        "zoneRedundant": bool(change.cloud.world.regions[change.location]["zones"]),
        **change.properties,
        **{"createdAt": made, "updatedAt": stamp(change.cloud.now), "status": "Active"},
        "kafkaEnabled": change.body["sku"]["name"] != "Basic",
        "serviceBusEndpoint": f"https://{change.name}.servicebus.windows.net:443/",
        "metricId": f"{change.address.subscription}:{change.name.lower()}",
    }


def _came_with(change: Change, segment: str, name: str, properties: dict[str, object]) -> None:
    now = change.cloud.now
    body = {"properties": properties}
    one = Resource(f"{change.address.id}/{segment}/{name}", f"{change.address.type}/{segment}", body, change.generation, now, now, "")
    if change.creating:
        change.cloud.store.resources[one.key] = one


def _sku(change: Change) -> dict[str, Any]:
    """Of the namespace in which a hub or a group of it is written."""
    namespace = change.cloud.find("/".join(change.address.id.split("/")[:9]))
    assert namespace is not None
    return dict(namespace.body["sku"])


def _check_hub(change: Change) -> None:
    sku = _sku(change)
    partitions, hours, _ = _TIERS[sku["name"]]
    most_hubs = _HUBS[sku["name"]] * (sku["capacity"] if sku["name"] == "Premium" else 1)
    beside = change.cloud.store.of_type(HUB, change.address.id.rpartition("/eventhubs/")[0])
    if change.creating and sum(1 for _ in beside) >= most_hubs:
        raise ArmError(403, "Forbidden", f"The namespace has {most_hubs} event hubs, which is the most that it may have.")
    retention = change.properties.setdefault("retentionDescription", {"cleanupPolicy": "Delete", "retentionTimeInHours": min(hours, 168)})
    wanted = (change.properties.setdefault("partitionCount", 4), retention.get("retentionTimeInHours", 1))
    for value, most, what in zip(wanted, (partitions, hours), ("PartitionCount", "RetentionTimeInHours"), strict=True):
        if not isinstance(value, int) or not 1 <= value <= most:
            raise _bad(f"The supplied value '{value}' for {what} is not between 1 and {most}.")
    if change.before and change.before.properties["partitionCount"] != wanted[0] and hours < 2160:
        raise _bad("The partition count of an event hub cannot be changed in this tier.")


def _fill_hub(change: Change) -> None:
    ids = [str(number) for number in range(change.properties["partitionCount"])]
    change.properties.update({"partitionIds": ids, "status": "Active", "createdAt": stamp(change.cloud.now)})


def _check_group(change: Change) -> None:
    most, hub = _TIERS[_sku(change)["name"]][2], change.address.id.rpartition("/consumergroups/")[0]
    if change.creating and sum(1 for _ in change.cloud.store.of_type(f"{HUB}/consumergroups", hub)) >= most:
        raise ArmError(403, "Forbidden", f"The tier of the namespace allows {most} consumer groups for each event hub.")


def _removing_group(cloud: Cloud, resource: Resource) -> None:
    if resource.name.lower() == "$default":
        raise _bad("The consumer group '$Default' cannot be deleted.")


def _keys(cloud: Cloud, resource: Resource, body: object) -> dict[str, str]:
    at = f"Endpoint=sb://{resource.id.split('/')[8]}.servicebus.windows.net/;SharedAccessKeyName={resource.name};SharedAccessKey="
    keys = {name: secret(resource, name, 32) for name in ("primary", "secondary")}
    named = {f"{name}Key": key for name, key in keys.items()} | {f"{name}ConnectionString": at + key for name, key in keys.items()}
    return {"keyName": resource.name, **named}


KINDS = (
    Kind(
        NAMESPACE,
        name=_NAME,
        stamped=True,
        check=_check,
        fill=_fill,
        written=lambda change: _came_with(
            change, "authorizationRules", "RootManageSharedAccessKey", {"rights": ["Listen", "Manage", "Send"]}
        ),
    ),
    Kind(RULE, located=False, slow=False, state=False, created=200, actions={"listKeys": _keys, "regenerateKeys": _keys}),
    Kind(
        HUB,
        located=False,
        slow=False,
        state=False,
        created=200,
        name=_hub_name(256, "event hub"),
        check=_check_hub,
        fill=_fill_hub,
        written=lambda change: _came_with(change, "consumergroups", "$Default", {}),
    ),
    Kind(
        f"{HUB}/consumergroups",
        located=False,
        slow=False,
        state=False,
        created=200,
        name=_hub_name(50, "consumer group"),
        check=_check_group,
        removing=_removing_group,
    ),
    Kind(f"{HUB}/authorizationRules", located=False, slow=False, state=False, created=200, actions={"listKeys": _keys}),
)
