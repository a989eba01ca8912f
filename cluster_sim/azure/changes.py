"""Writing and deleting resources by ARM's general rules.

What one type adds is its Kind; what a request looks like on the wire is `arm`'s matter.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cluster_sim.azure import errors, policy
from cluster_sim.azure.addresses import GROUP_TYPE, Address
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.kinds import Change, Kind
from cluster_sim.azure.login import Caller
from cluster_sim.azure.store import Operation, Resource

TAGS_MAX, TAG_NAME_CHARS_MAX, TAG_VALUE_CHARS_MAX = 50, 512, 256
LOCK_TYPE = "Microsoft.Authorization/locks"
_READ_ONLY = {"id", "name", "type", "systemData", "etag"}
_ADMINISTRATOR_ONLY = ("microsoft.authorization/roleassignments", "microsoft.authorization/locks")


@dataclass(frozen=True)
class Written:
    resource: Resource
    created: bool
    operation: Operation | None


def put(
    cloud: Cloud,
    address: Address,
    kind: Kind,
    body: Any,
    caller: Caller,
    *,
    later: dict[str, Any] | None = None,
    seeding: bool = False,
    inner: bool = False,
    merging: bool = False,
) -> Written:
    """Creates or replaces.

    `later` is the error its operation will end with; `seeding` builds what is there when the world begins, `inner` a part of a
    resource already allowed; `merging`: what the body does not speak of stays.
    """
    if not isinstance(body, Mapping):
        raise errors.invalid_content("The request body must be a JSON object.")
    before = cloud.find(address.id)
    if before is None and kind.singleton and address.name.lower() == kind.singleton:
        before = cloud.implied(address.id)
    body = {k: copy.deepcopy(v) for k, v in body.items() if k not in _READ_ONLY}
    if not isinstance(body.get("properties", {}), dict):
        raise errors.invalid_content("The 'properties' property must be an object.")
    if not seeding:
        allow(cloud, address, kind, "write", caller)
    scope = _stand(cloud, address, kind)
    if kind.name:
        kind.name.check(address.name)
    _locate(cloud, address, kind, body, before)
    _check_tags(body)
    subscription = cloud.subscription(address.subscription)
    if not seeding and not inner:
        _locks(cloud, address, "write", ("ReadOnly",))
        denied = policy.denials(subscription, kind.type, kind.located or kind.type == GROUP_TYPE, body)
        if denied:
            raise errors.denied_by_policy(address.name, denied)
        above = cloud.find(address.parent.id) if address.parent else None
        for one in (before, above):
            if one and one.operation:
                raise errors.busy(one.id)
    generation = before.generation if before else cloud.store.next_generation()
    stored = Address(scope, address.type, (*_parent_names(cloud, address), before.name if before else address.name))
    change = Change(cloud, stored, body, before, generation)
    listed = {property_: change.properties.pop(property_, None) for property_ in kind.parts}
    change.parts = {property_: given for property_, given in listed.items() if given is not None or not merging}
    if kind.references:
        _check_references(cloud, stored, body)
    try:
        kind.check(change)
        _fill_identity(change)
        kind.fill(change)
    except (AttributeError, TypeError, KeyError, ValueError) as problem:
        # A body of another shape than the type's: a text where an object belongs. ARM says so too, before it looks at values.
        raise errors.invalid_content(f"The body does not have the shape of {kind.type}: {problem}") from problem
    if kind.state:
        change.properties.pop("provisioningState", None)
    # A part that is refused takes the whole with it: nothing half-written stays.
    undo = copy.deepcopy(cloud.store.resources) if kind.parts or before else dict(cloud.store.resources)
    resource = (
        before
        if before and before.key in cloud.store.resources
        else Resource(stored.id, kind.type, body, generation, cloud.now, cloud.now, caller.client_id)
    )
    resource.body, resource.changed_at_s, resource.state = body, cloud.now, "Succeeded"
    cloud.store.resources[resource.key] = resource
    try:
        for property_, given in change.parts.items():
            if given is not None or kind.unsaid_parts_go:
                _write_parts(cloud, stored, kind, property_, given or [], caller, seeding)
        kind.written(change)
    except ArmError:
        cloud.store.resources = undo
        raise
    operation = None
    if kind.slow and not seeding and not inner:
        resource.state = "Creating" if before is None else "Updating"
        operation = cloud.begin("put", resource, kind, later or change.fails)
    else:
        resource.complete = True
    return Written(resource, before is None, operation)


def patch(cloud: Cloud, address: Address, kind: Kind, body: Any, caller: Caller, *, later: dict[str, Any] | None = None) -> Written:
    """Merges into what is there. Tags are replaced as a whole, as ARM does."""
    if not isinstance(body, Mapping):
        raise errors.invalid_content("The request body must be a JSON object.")
    before = cloud.find(address.id) or cloud.implied(address.id)
    if before is None:
        raise missing(cloud, address)
    merged = _merge(before.body, {k: v for k, v in body.items() if k != "tags"})
    if "tags" in body:
        merged["tags"] = body["tags"]
    return put(cloud, address, kind, merged, caller, later=later, merging=True)


def retag(cloud: Cloud, address: Address, kind: Kind, resource: Resource, tags: dict[str, str], caller: Caller) -> None:
    """Changes nothing but tags, under the rules of any other write."""
    allow(cloud, address, kind, "write", caller)
    body = {**resource.body, "tags": tags}
    _check_tags(body)
    _locks(cloud, address, "write", ("ReadOnly",))
    located = kind.located or kind.type == GROUP_TYPE
    if denied := policy.denials(cloud.subscription(address.subscription), kind.type, located, body):
        raise errors.denied_by_policy(address.name, denied)
    resource.body, resource.changed_at_s = body, cloud.now


def delete(
    cloud: Cloud, address: Address, kind: Kind, caller: Caller, *, later: dict[str, Any] | None = None
) -> tuple[Resource, Operation | None] | None:
    """Deletes, or begins to. None when there is nothing to delete."""
    allow(cloud, address, kind, "delete", caller)
    if address.type != GROUP_TYPE and address.group:
        cloud.group(address.subscription, address.group)
    resource = cloud.find(address.id)
    if resource is None:
        if address.type == GROUP_TYPE:
            raise errors.group_not_found(address.name)
        return None
    _locks(cloud, address, "delete", ("ReadOnly", "CanNotDelete"), below=True)
    if resource.operation and cloud.store.operations[resource.operation].verb == "put":
        raise errors.busy(resource.id)
    if kind.used_by and (users := list(cloud.users(resource))):
        code, message = kind.used_by
        raise ArmError(400, code, message.format(name=resource.name, id=resource.id, user=users[0].id))
    kind.removing(cloud, resource)
    slow = kind.slow if kind.slow_delete is None else kind.slow_delete
    if not slow and later is None:
        cloud.remove(resource)
        return resource, None
    resource.state = "Deleting"
    return resource, cloud.begin("delete", resource, kind, later)


def allow(cloud: Cloud, address: Address, kind: Kind, verb: str, caller: Caller) -> None:
    """Whether the subscription and the caller's role let this be written at all."""
    if not address.subscription:
        raise errors.not_simulated(verb, address.id)
    subscription = cloud.subscription(address.subscription)
    action = f"{kind.type}/{verb}"
    reader = subscription.role == "Reader"
    contributor = subscription.role == "Contributor" and kind.type.lower().startswith(_ADMINISTRATOR_ONLY)
    if reader or contributor:
        raise errors.not_authorised(caller.client_id, caller.object_id, action, address.id)
    if subscription.state == "Disabled":
        raise errors.subscription_disabled(subscription.id)
    namespace = kind.type.split("/")[0]
    if not cloud.registered(subscription, namespace):
        raise errors.not_registered(subscription.id, namespace)


def missing(cloud: Cloud, address: Address) -> ArmError:
    """The refusal for something that is not there: what is missing first, from the top."""
    if address.type == GROUP_TYPE:
        return errors.group_not_found(address.name)
    if address.group and cloud.find(f"/subscriptions/{address.subscription}/resourceGroups/{address.group}") is None:
        return errors.group_not_found(address.group)
    if (parent := address.parent) and cloud.find(parent.id) is None and cloud.implied(parent.id) is None:
        return errors.parent_not_found(parent.name)
    return errors.resource_not_found(address.id.rsplit("/providers/", 1)[1], address.group)


def _stand(cloud: Cloud, address: Address, kind: Kind) -> str:
    """Checks that scope and parent exist; gives the scope as it was first written."""
    if address.type == GROUP_TYPE:
        return address.scope
    if address.group:
        group = cloud.group(address.subscription, address.group)
        if group.state == "Deleting":
            raise errors.group_being_deleted(address.group)
    elif not kind.extends:
        raise errors.not_simulated("PUT", address.id)
    if address.extension and not cloud.scope_exists(address.scope):
        raise missing(cloud, under) if (under := cloud.address(address.scope)) else errors.group_not_found(address.group)
    if (parent := address.parent) and cloud.find(parent.id) is None and cloud.implied(parent.id) is None:
        raise missing(cloud, address)
    above = cloud.find(address.scope)
    return above.id if above else address.scope


def _parent_names(cloud: Cloud, address: Address) -> tuple[str, ...]:
    """Names of the resources this one is nested in, as they were first written."""
    above = cloud.find(address.parent.id) if address.parent else None
    spelled = cloud.address(above.id) if above else None
    return spelled.names if spelled else address.names[:-1]


def _locate(cloud: Cloud, address: Address, kind: Kind, body: dict[str, Any], before: Resource | None) -> None:
    """Location as ARM spells it, checked; children carry none."""
    if not kind.located and kind.type != GROUP_TYPE:
        return
    given = body.get("location")
    if not given and before:
        body["location"] = before.location
        return
    if not given:
        raise errors.location_required()
    location = str(given).lower().replace(" ", "")
    regions = ["global"] if kind.everywhere else sorted(cloud.world.regions)
    if location not in regions:
        raise (
            errors.group_location_not_available(str(given), regions)
            if kind.type == GROUP_TYPE
            else errors.location_not_available(str(given), kind.type, regions)
        )
    if before and before.location != location:
        if kind.type == GROUP_TYPE:
            raise errors.group_location_fixed(location, before.location)
        raise errors.location_fixed(address.name, address.group, before.location, location)
    body["location"] = location


def _check_tags(body: dict[str, Any]) -> None:
    tags = body.get("tags")
    if tags is None:
        return
    if not isinstance(tags, Mapping) or not all(isinstance(v, str) for v in tags.values()):
        raise errors.invalid_content("The 'tags' property must be an object whose values are strings.")
    if len(tags) > TAGS_MAX:
        raise ArmError(400, "InvalidTagCount", f"The number of tags '{len(tags)}' exceeds the maximum '{TAGS_MAX}'.")
    if len({name.lower() for name in tags}) < len(tags):
        # learn.microsoft.com, "Use tags to organize your Azure resources": names of tags are case-insensitive; the words are a model's.
        raise errors.invalid_content(f"The tags {', '.join(sorted(tags))} have a name twice: letter case does not count.")
    for name, value in tags.items():
        if bad := re.search(r"[<>%&\\?/]", name):
            raise ArmError(
                400,
                "InvalidTagNameCharacters",
                f"The tag names '{name}' have reserved characters '{bad[0]}' or control characters.",
            )
        if len(name) > TAG_NAME_CHARS_MAX or len(value) > TAG_VALUE_CHARS_MAX:
            raise ArmError(
                400,
                "InvalidTagLength",
                f"The tag '{name[:40]}' is too long: a name has at most {TAG_NAME_CHARS_MAX} characters and a value {TAG_VALUE_CHARS_MAX}.",
            )


def _locks(cloud: Cloud, address: Address, verb: str, levels: tuple[str, ...], *, below: bool = False) -> None:
    if address.type == LOCK_TYPE:
        return
    key = address.key
    found = []
    for lock in cloud.store.of_type(LOCK_TYPE):
        scope = lock.key.rsplit("/providers/", 1)[0]
        if lock.properties.get("level") in levels and (f"{key}/".startswith(f"{scope}/") or (below and f"{scope}/".startswith(f"{key}/"))):
            found.append(lock.id.rsplit("/providers/", 1)[0])
    if found:
        raise errors.locked(address.id, verb, sorted(set(found)))


def _check_references(cloud: Cloud, address: Address, body: dict[str, Any]) -> None:
    """Every `{"id": …}` in the properties must be there, or be a part of this very resource."""
    for id_ in _ids(body.get("properties")):
        wanted = cloud.address(id_)
        if wanted is None or not wanted.subscription or id_.lower().startswith(address.key):
            continue
        if wanted.type.lower() in cloud.kinds and cloud.find(wanted.id) is None:
            raise errors.reference_not_found(id_, address.id)


def _ids(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["id"]] if isinstance(value.get("id"), str) and set(value) == {"id"} else []
        return own + [i for item in value.values() for i in _ids(item)]
    return [i for item in value for i in _ids(item)] if isinstance(value, list) else []


def _fill_identity(change: Change) -> None:
    """Gives a resource's own identity its ids, and those of the identities it is assigned."""
    identity = change.body.get("identity")
    if not isinstance(identity, dict) or change.address.type.startswith("Microsoft.ManagedIdentity"):
        return
    kinds = str(identity.get("type", "None")).lower()
    for name in ("principalId", "tenantId"):
        identity.pop(name, None)
    if "systemassigned" in kinds:
        identity |= {"principalId": change.guid("principal"), "tenantId": change.cloud.world.tenant.id}
    assigned = identity.get("userAssignedIdentities")
    if isinstance(assigned, dict):
        for id_ in assigned:
            found = change.cloud.find(id_)
            if found is None:
                raise ArmError(
                    400,
                    "FailedIdentityOperation",
                    f"Identity operation for resource '{change.address.id}' failed with error 'Failed to perform resource "
                    "identity operation. "
                    f"Status: 'NotFound'. The identity '{id_}' was not found.'.",
                )
            assigned[id_] = {"principalId": found.properties["principalId"], "clientId": found.properties["clientId"]}


def _write_parts(cloud: Cloud, address: Address, kind: Kind, property_: str, given: Any, caller: Caller, seeding: bool) -> None:
    """Child resources given inside their parent: written as children; those no longer listed go."""
    segment = kind.parts[property_]
    part = cloud.kind(f"{kind.type}/{segment}")
    if part is None or not isinstance(given, list):
        raise errors.invalid_content(f"The property '{property_}' must be an array.")
    listed = set()
    for item in given:
        if not isinstance(item, Mapping) or not item.get("name"):
            raise errors.invalid_content(f"Each of '{property_}' must be an object with a name.")
        child = address.child(segment, str(item["name"]))
        listed.add(child.key)
        body = (
            {"properties": {k: v for k, v in item.items() if k != "name"}}
            if kind.flat_parts
            else {"properties": dict(item.get("properties") or {})}
        )
        put(cloud, child, part, body, caller, seeding=seeding, inner=True)
    if kind.flat_parts:
        return
    for old in list(cloud.store.of_type(part.type, address.id)):
        if old.key not in listed:
            if part.used_by and (users := list(cloud.users(old))):
                raise ArmError(400, part.used_by[0], part.used_by[1].format(name=old.name, id=old.id, user=users[0].id))
            cloud.remove(old)


def _merge(old: Any, new: Any) -> Any:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    merged = dict(old)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged
