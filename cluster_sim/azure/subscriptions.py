"""What ARM tells about a whole subscription: itself, its locations, providers, groups, resources and tags.

Writing is elsewhere.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from cluster_sim.azure import errors, filters
from cluster_sim.azure.addresses import GROUP_TYPE, tidy
from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.store import Resource
from cluster_sim.azure.world import Subscription
from cluster_sim.http import Answer, Request, json_answer

API_VERSIONS = ["2026-01-01", "2025-07-01", "2025-01-01", "2024-11-01", "2024-05-01", "2023-05-01", "2022-09-01"]
"""What the provider list names for every type. Any dated version is served: bodies are stored as they come."""


def show(subscription: Subscription, cloud: Cloud) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": cloud.world.tenant.id,
        "displayName": subscription.name,
        "state": subscription.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def tenants(cloud: Cloud) -> list[dict[str, Any]]:
    tenant = cloud.world.tenant
    return [
        {
            "id": f"/tenants/{tenant.id}",
            "tenantId": tenant.id,
            "displayName": tenant.name,
            "tenantCategory": "Home",
            "countryCode": "US",
            "domains": [],
        }
    ]


def locations(subscription: Subscription, cloud: Cloud) -> list[dict[str, Any]]:
    found = []
    for name, row in cloud.world.regions.items():
        at = f"/subscriptions/{subscription.id}/locations/"
        zones = [{"logicalZone": str(n), "physicalZone": f"{name}-az{n}"} for n in (1, 2, 3)] if row["zones"] else None
        item = {
            "id": at + name,
            "name": name,
            "type": "Region",
            "displayName": row["display"],
            "regionalDisplayName": f"({row['group']}) {row['display']}",
            "metadata": {
                "regionType": "Physical",
                "regionCategory": "Recommended" if row["zones"] else "Other",
                "geography": row["group"],
                "geographyGroup": row["group"],
                "longitude": row["longitude"],
                "latitude": row["latitude"],
                "physicalLocation": row["place"],
                "pairedRegion": [{"name": row["pair"], "id": at + row["pair"]}] if row["pair"] else [],
            },
        }
        found.append(item | ({"availabilityZoneMappings": zones} if zones else {}))
    return found


def provider(subscription: Subscription, cloud: Cloud, namespace: str) -> dict[str, Any]:
    kinds = [k for k in cloud.kinds.values() if k.type.split("/")[0].lower() == namespace.lower()]
    if not kinds:
        raise errors.ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    name = kinds[0].type.split("/")[0]
    places = [row["display"] for row in cloud.world.regions.values()]
    return {
        "id": f"/subscriptions/{subscription.id}/providers/{name}",
        "namespace": name,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered" if cloud.registered(subscription, name) else "NotRegistered",
        "resourceTypes": [
            {
                "resourceType": kind.type.split("/", 1)[1],
                "locations": ["global"] if kind.everywhere else places if kind.located else [],
                "apiVersions": API_VERSIONS,
                "defaultApiVersion": API_VERSIONS[0],
                "capabilities": "SupportsTags, SupportsLocation" if kind.located else "None",
            }
            for kind in kinds
        ],
    }


def providers(subscription: Subscription, cloud: Cloud) -> list[dict[str, Any]]:
    names = sorted({kind.type.split("/")[0] for kind in cloud.kinds.values()})
    return [provider(subscription, cloud, name) for name in names]


def register(subscription: Subscription, cloud: Cloud, namespace: str, *, wanted: bool) -> dict[str, Any]:
    name = provider(subscription, cloud, namespace)["namespace"]
    if wanted and subscription.role == "Reader":
        raise errors.not_authorised(
            cloud.world.tenant.client_id,
            cloud.world.tenant.object_id,
            f"{name}/register/action",
            f"/subscriptions/{subscription.id}",
        )
    cloud.store.registered[f"{subscription.id}/{name}".lower()] = "Registered" if wanted else "NotRegistered"
    return provider(subscription, cloud, name)


def groups(subscription: Subscription, cloud: Cloud, request: Request) -> Answer:
    found = list(cloud.store.of_type(GROUP_TYPE, f"/subscriptions/{subscription.id}"))
    return page([cloud.show(r) for r in _filtered(found, request, cloud)], request, cloud)


def resources(subscription: Subscription, cloud: Cloud, request: Request, group: str = "") -> Answer:
    """Tracked resources in short form: no properties, as in ARM."""
    if group:
        cloud.group(subscription.id, group)
    scope = f"/subscriptions/{subscription.id}" + (f"/resourceGroups/{group}" if group else "")
    tracked = [r for r in cloud.store.under(scope.lower()) if (kind := cloud.kind(r.type)) and kind.located]
    expand = dict(request.query).get("$expand", "").lower()
    return page([_short(r, cloud, expand) for r in _filtered(tracked, request, cloud)], request, cloud)


def tag_names(subscription: Subscription, cloud: Cloud, request: Request) -> Answer:
    counts: dict[str, Counter[str]] = {}
    for resource in cloud.store.under(f"/subscriptions/{subscription.id}".lower()):
        for name, value in (resource.body.get("tags") or {}).items():
            counts.setdefault(name, Counter())[value] += 1
    at = f"/subscriptions/{subscription.id}/tagNames/"
    rows = [
        {
            "id": at + name,
            "tagName": name,
            "count": {"type": "Total", "value": sum(values.values())},
            "values": [
                {"id": f"{at}{name}/tagValues/{v}", "tagValue": v, "count": {"type": "Total", "value": n}}
                for v, n in sorted(values.items())
            ],
        }
        for name, values in sorted(counts.items())
    ]
    return page(rows, request, cloud)


def page(rows: list[Any], request: Request, cloud: Cloud) -> Answer:
    """One page of a list, and where the next is. The skip token is opaque to clients, so it is not a plain number."""
    query = dict(request.query)
    top = int(query["$top"]) if query.get("$top", "").isdigit() and int(query["$top"]) > 0 else cloud.world.page_size
    size = min(top, cloud.world.page_size)
    start = _start(query.get("$skiptoken", ""))
    value: dict[str, Any] = {"value": rows[start : start + size]}
    if start + size < len(rows):
        kept = "&".join(f"{k}={quote(v, safe='')}" for k, v in request.query if k != "$skiptoken")
        token = base64.urlsafe_b64encode(f"at {start + size}".encode()).decode()
        value["nextLink"] = f"https://{request.host}{request.raw_path}?{kept}&%24skiptoken={quote(token, safe='')}"
    return json_answer(value)


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("at "))
    except ValueError:
        raise errors.ArmError(400, "InvalidSkipToken", f"The skip token '{token[:80]}' is invalid.") from None


def _filtered(found: Iterable[Resource], request: Request, cloud: Cloud) -> list[Resource]:
    text = dict(request.query).get("$filter", "")
    if not text:
        return list(found)
    # Tags are asked for in pairs: the name that was named last is whose value is meant.
    pair = re.search(r"tagName\s+eq\s+'((?:[^']|'')*)'(?:\s+and\s+tagValue\s+eq\s+'((?:[^']|'')*)')?", text, re.IGNORECASE)
    rest, wanted = text, None
    if pair:
        wanted = (pair[1].replace("''", "'"), pair[2].replace("''", "'") if pair[2] is not None else None)
        rest = re.sub(r"^\s*and\s+|\s+and\s*$", "", text[: pair.start()] + text[pair.end() :], flags=re.IGNORECASE).strip()
    try:
        test: Callable[[Mapping[str, Any]], bool] = filters.read(rest, ignore_case=True) if rest else lambda row: True
    except filters.FilterProblem as problem:
        raise errors.ArmError(
            400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string. {problem}"
        ) from None
    return [r for r in found if test(_row(r)) and (wanted is None or _tagged(r, *wanted))]


def _row(resource: Resource) -> dict[str, Any]:
    return {
        "resourceType": resource.type,
        "name": resource.name,
        "location": resource.location,
        "resourceGroup": resource.group,
        **resource.body,
    }


def _tagged(resource: Resource, name: str, value: str | None) -> bool:
    tags = {k.lower(): v for k, v in (resource.body.get("tags") or {}).items()}
    return name.lower() in tags and (value is None or tags[name.lower()] == value)


def _short(resource: Resource, cloud: Cloud, expand: str) -> dict[str, Any]:
    shown = {"id": resource.id, "name": resource.name, "type": resource.type}
    shown |= {k: resource.body[k] for k in ("kind", "managedBy", "sku", "location", "identity", "zones", "tags") if k in resource.body}
    if "createdtime" in expand:
        shown["createdTime"] = stamp(resource.created_at_s)
    if "changedtime" in expand:
        shown["changedTime"] = stamp(resource.changed_at_s)
    if "provisioningstate" in expand:
        shown["provisioningState"] = resource.state
    return shown


def extension_filter(found: list[Resource], request: Request) -> list[Resource]:
    """The filters role assignments and definitions are listed by: `principalId eq`, `assignedTo()`, `atScope()`."""
    text = dict(request.query).get("$filter", "")
    if not text:
        return found
    if principal := re.search(r"(?:principalId\s+eq\s+|assignedTo\()'([^']+)'", text):
        return [r for r in found if str(r.properties.get("principalId", "")).lower() == principal[1].lower()]
    if re.fullmatch(r"atScope\(\)", text.strip()):
        scope = tidy(request.path).lower().rsplit("/providers/", 1)[0]
        return [r for r in found if scope.startswith(r.key.rsplit("/providers/", 1)[0])]
    raise errors.ArmError(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
