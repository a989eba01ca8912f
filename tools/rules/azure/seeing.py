"""Makes values of what Azure Resource Manager answers. It trusts no type, no number and no name, and judges nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tools.rules.names.scanned import Row, display, number, rows
from tools.values.snapshot import CloudNetwork, CloudResource, KubernetesVersion, ModelEnd, Permission, Quota, Region, SecurityRule, Sku
from tools.values.value import Json

REGION_NAME = re.compile(r"[a-z][a-z0-9]{2,39}")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
ID_LENGTH_MAX = 500
TAGS_MAX = 50
ACTION = re.compile(r"[A-Za-z0-9.*_/-]{1,200}")
ACTIONS_MAX = 1000
RANGE = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}/\d{1,2}")
RANGES_MAX = 100
ZONES_MAX = 10
MINOR = re.compile(r"1\.\d{1,3}")
NAME_CHECKS = {
    "Microsoft.Storage/storageAccounts": ("Microsoft.Storage", "checkNameAvailability", "name"),
    "Microsoft.KeyVault/vaults": ("Microsoft.KeyVault", "checkNameAvailability", "name"),
    "Microsoft.ContainerRegistry/registries": ("Microsoft.ContainerRegistry", "checkNameAvailability", "name"),
    "Microsoft.DBforPostgreSQL/flexibleServers": ("Microsoft.DBforPostgreSQL", "checkNameAvailability", "name"),
    "Microsoft.CognitiveServices/accounts": ("Microsoft.CognitiveServices", "checkDomainAvailability", "subdomainName"),
}
"""Types whose names are unique in all of Azure: (provider, operation, the field that names it)."""


def region(row: Row) -> Region | None:
    """None for what is no place to put things: logical regions are only groups of others."""
    name = str(row.get("name") or "")
    kind = _within(row, "metadata").get("regionType") or _within(row, "metadata").get("region_type") or "Physical"
    shown = row.get("displayName") or row.get("display_name") or name
    return Region(name=name, display_name=display(shown)) if REGION_NAME.fullmatch(name) and kind == "Physical" else None


def nearest(location_rows: Iterable[Row], in_use: Iterable[str]) -> tuple[str, ...]:
    """Names of regions: those in use, then those of the same part of the world, the ones that Azure recommends first."""
    used = set(in_use)
    places = {found.name: _within(row, "metadata") for row in location_rows if (found := region(row))}
    home = {_part(about) for name, about in places.items() if name in used}

    def rank(name: str) -> tuple[bool, bool, bool]:
        about = places[name]
        category = about.get("regionCategory") or about.get("region_category")
        return (name not in used, _part(about) not in home, category != "Recommended")

    return tuple(sorted(places, key=rank))


def resource(row: Row) -> CloudResource:
    given = row.get("tags")
    tags = tuple((display(k), display(v, 256)) for k, v in sorted(given.items(), key=str)[:TAGS_MAX]) if isinstance(given, dict) else ()
    return CloudResource(
        id=display(row.get("id") or "", ID_LENGTH_MAX),
        type=display(row.get("type") or "", 200),
        name=display(row.get("name") or "", 260),
        region=display(row.get("location") or ""),
        tags=tags,
    )


def quota(row: Row, region_name: str) -> Quota | None:
    name = _within(row, "name").get("value")
    if not name:
        return None
    return Quota(
        region=region_name,
        name=display(name, 200),
        used=number(row, "currentValue") or number(row, "current_value"),
        limit=number(row, "limit"),
        unit=display(row.get("unit") or "Count"),
    )


def sku(row: Row, region_name: str) -> Sku | None:
    """None for what is no machine. A size that the subscription may not have is kept, with the reason."""
    if str(row.get("resourceType") or row.get("resource_type")) != "virtualMachines":
        return None
    able = {str(c.get("name")): c for c in rows(row.get("capabilities"))}
    return Sku(
        name=display(row.get("name") or ""),
        region=region_name,
        family=display(row.get("family") or ""),
        cpu_count=int(_able(able, "vCPUs")),
        memory_gib=_able(able, "MemoryGB"),
        gpu_count=int(_able(able, "GPUs")),
        restricted=_restriction(row, region_name),
        zones=_zones(row, region_name),
    )


def models(model_rows: Iterable[Row], region_name: str) -> Iterator[ModelEnd]:
    """Every language model and kind of deployment, with its stage and its end. A kind that says an end of its own ends then."""
    for row in model_rows:
        model = _within(row, "model")
        for kind in rows(model.get("skus")):
            parts = (region_name, model.get("name"), model.get("version"), kind.get("name"))
            if all(parts):
                ends = kind.get("deprecationDate") or _within(model, "deprecation").get("inference")
                day = DAY.match(str(ends or ""))
                yield ModelEnd(
                    model="/".join(display(part).replace("/", "-") for part in parts),
                    stage=display(model.get("lifecycleStatus") or ""),
                    ends_on=day.group() if day else "",
                )


def kubernetes(version_rows: Iterable[Row], region_name: str) -> Iterator[KubernetesVersion]:
    for row in version_rows:
        plans = _texts(_within(row, "capabilities"), "supportPlan")
        if MINOR.fullmatch(str(row.get("version") or "")):
            yield KubernetesVersion(
                region=region_name,
                version=str(row["version"]),
                is_default=row.get("isDefault") is True,
                is_preview=row.get("isPreview") is True,
                is_supported=not plans or "KubernetesOfficial" in plans,
            )


def security_rules(row: Row) -> Iterator[SecurityRule]:
    """Of one network security group."""
    for rule in rows(_within(row, "properties").get("securityRules")):
        about = _within(rule, "properties")
        if rule.get("name"):
            yield SecurityRule(
                group_id=display(row.get("id") or "", ID_LENGTH_MAX),
                name=display(rule["name"], 80),
                priority=int(number(about, "priority")),
                inbound=str(about.get("direction")).lower() == "inbound",
                allow=str(about.get("access")).lower() == "allow",
            )


def network(row: Row) -> CloudNetwork:
    found = _within(_within(row, "properties"), "addressSpace").get("addressPrefixes")
    listed = found[:RANGES_MAX] if isinstance(found, list) else []
    return CloudNetwork(
        id=display(row.get("id") or "", ID_LENGTH_MAX),
        region=display(row.get("location") or ""),
        ranges=tuple(one for one in listed if isinstance(one, str) and RANGE.fullmatch(one)),
    )


def permission(row: Row) -> Permission:
    def listed(name: str) -> tuple[str, ...]:
        found = row.get(name)
        actions = found[:ACTIONS_MAX] if isinstance(found, list) else []
        return tuple(one for one in actions if isinstance(one, str) and ACTION.fullmatch(one))

    return Permission(actions=listed("actions"), not_actions=listed("notActions"))


def unregistered(provider_rows: Iterable[Row]) -> Iterator[str]:
    for row in provider_rows:
        state = row.get("registrationState") or row.get("registration_state")
        if row.get("namespace") and str(state) in ("NotRegistered", "Unregistered", "Unregistering"):
            yield display(row["namespace"], 200)


def is_taken(answer: Row) -> bool:
    """A name that is not allowed at all counts as taken: nobody can have it."""
    available = answer.get("nameAvailable", answer.get("isSubdomainAvailable"))
    return available is False


def _part(about: Row) -> str:
    return str(about.get("geographyGroup") or about.get("geography_group") or "")


def _able(able: Mapping[str, Row], name: str) -> float:
    return number(able[name], "value") if name in able else 0.0


def _restriction(row: Row, region_name: str) -> str:
    for restriction in rows(row.get("restrictions")):
        where = [str(value).lower() for value in restriction.get("values") or () if isinstance(value, str)]
        if restriction.get("type") == "Location" and (not where or region_name in where):
            return display(restriction.get("reasonCode") or restriction.get("reason_code") or "restricted")
    return ""


def _zones(row: Row, region_name: str) -> tuple[str, ...] | None:
    """Those that the size is offered in, without those that are shut to this subscription."""
    told = rows(row.get("locationInfo") or row.get("location_info"))
    here = next((one for one in told if str(one.get("location") or "").lower() == region_name), None)
    if here is None:
        return None
    shut: set[str] = set()
    for restriction in rows(row.get("restrictions")):
        about = _within(restriction, "restrictionInfo") or _within(restriction, "restriction_info")
        if restriction.get("type") == "Zone" and region_name in map(str.lower, _texts(about, "locations")):
            shut |= set(_texts(about, "zones"))
    return tuple(sorted(set(_texts(here, "zones")) - shut))


def _texts(row: Row, key: str) -> tuple[str, ...]:
    found = row.get(key)
    return tuple(one for one in found[:ZONES_MAX] if isinstance(one, str) and one.isalnum()) if isinstance(found, list | tuple) else ()


def _within(row: Row, key: str) -> Row:
    found: Json = row.get(key)
    return found if isinstance(found, Mapping) else {}
