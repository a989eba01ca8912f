"""Reads the `azure:` section of a world file into values, and refuses what Azure could never be.

Every problem is told at once, as a sentence.
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from cluster_sim.azure.data import table

ROLES = ("Owner", "Contributor", "Reader")
STATES = ("Enabled", "Warned", "Disabled")
TAKEN = ("storage", "vaults", "registries", "domains", "factories", "servers")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ImpossibleWorld(ValueError):
    """The world file describes what Azure could never be."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("This Azure cannot be: " + " ".join(self.problems))


@dataclass(frozen=True)
class Tenant:
    id: str
    name: str
    client_id: str
    client_secret: str = field(repr=False)
    client_secret_expired: bool = False
    object_id: str = ""
    principals: tuple[str, ...] = ()
    """Object ids of people and groups the directory knows."""
    regions: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    """Groups of the directory by name: their object ids, which are principals too."""
    directory_role: str = ""
    """Of the login in the directory; empty: it has none, and so sees nobody there."""


@dataclass(frozen=True)
class Quota:
    limit: int
    used: int = 0
    """What others in the subscription use, beside the resources of this world."""


@dataclass(frozen=True)
class PolicyRule:
    """One Azure Policy assignment that denies. Exactly one of the conditions is set."""

    name: str
    display_name: str
    allowed_locations: tuple[str, ...] = ()
    required_tags: tuple[str, ...] = ()
    denied_types: tuple[str, ...] = ()
    type: str = ""
    """With `property`: the resource type the rule is about."""
    property: str = ""
    one_of: tuple[Any, ...] = ()
    asked_of: str = "resources"
    """`resources` or `groups`: what `required_tags` is asked of."""


@dataclass(frozen=True)
class SkuRestriction:
    sku: str
    """A size, with `*`."""
    region: str
    reason: str = "NotAvailableForSubscription"
    zones: tuple[str, ...] = ()
    """Of the region, when it is shut in these alone."""


@dataclass(frozen=True)
class Fault:
    """A bad day as a value: what a request is answered instead, or how its operation ends."""

    when: str
    """Method and path with `*`, case ignored: `PUT *Microsoft.CognitiveServices/accounts/*`."""
    nth: tuple[int, ...] = ()
    """Which times, counted from 1; none: every time."""
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after_s: int | None = None
    delay_s: float = 0.0
    later: bool = False
    """The request is accepted and the operation fails."""


@dataclass(frozen=True)
class Subscription:
    id: str
    name: str
    state: str = "Enabled"
    role: str = "Owner"
    quotas: Mapping[str, Mapping[str, Quota]] = field(default_factory=dict)
    model_quotas: Mapping[str, Mapping[str, Quota]] = field(default_factory=dict)
    sku_restrictions: tuple[SkuRestriction, ...] = ()
    unregistered: frozenset[str] = frozenset()
    policies: tuple[PolicyRule, ...] = ()
    groups: Mapping[str, Any] = field(default_factory=dict)
    """What exists already, as written; it is built by the same rules as anything made later."""
    deleted_vaults: tuple[Mapping[str, Any], ...] = ()
    deleted_accounts: tuple[Mapping[str, Any], ...] = ()
    costs_daily: Mapping[str, float] = field(default_factory=dict)
    """Resource group → USD a day, of what Cost Management tells."""


@dataclass(frozen=True)
class World:
    tenant: Tenant
    subscriptions: tuple[Subscription, ...]
    regions: Mapping[str, Mapping[str, Any]]
    taken_names: Mapping[str, frozenset[str]]
    operation_s: float = 0.0
    operation_s_by_type: Mapping[str, float] = field(default_factory=dict)
    retry_after_s: int = 1
    page_size: int = 100
    kubernetes_versions: tuple[str, ...] = ()
    databricks_workspaces_max: int = 2
    cluster_start_s: float = 0.0
    role_propagation_s: float = 0.0
    """How long a new role assignment takes until it counts."""
    operator_network: str = ""
    """The id of the virtual network that whoever uses the world is on: machines are met from there. Empty: on none."""
    faults: tuple[Fault, ...] = ()


DIRECTORY_ROLES = ("Directory Readers", "Directory Writers", "Global Reader")
_TENANT_KEYS = {"id", "name", "client_id", "client_secret", "client_secret_expired", "principals", "groups", "directory_role"}
_POLICY_KEYS = {"name", "display_name", "allowed_locations", "required_tags", "denied_types", "require", "asked_of"}
_FAULT_KEYS = {"when", "nth", "answer", "fails", "delay_s"}


def _names(kind: type[World] | type[Subscription]) -> set[str]:
    return {each.name for each in fields(kind)}


def read_world(section: Mapping[str, Any]) -> World:
    """Raises ImpossibleWorld with every problem found in the section."""
    return _SectionReader().world(section)


class _SectionReader:
    def __init__(self) -> None:
        self.problems: list[str] = []

    def say(self, sentence: str) -> None:
        self.problems.append(sentence)

    def world(self, section: Mapping[str, Any]) -> World:
        if not isinstance(section, Mapping):
            raise ImpossibleWorld(["The section `azure` must be a mapping."])
        self.keys(section, _names(World), "azure")
        known: dict[str, Any] = table("regions")
        names = section.get("regions") or list(known)
        for name in names:
            if name not in known:
                self.say(f"There is no region called {name}{_meant(name, known)}.")
        regions = {name: known[name] for name in names if name in known}
        tenant = self.tenant(section.get("tenant") or {}, tuple(regions))
        subscriptions = tuple(self.subscription(item, regions) for item in section.get("subscriptions") or ())
        if not subscriptions:
            self.say("There is no subscription: `subscriptions` needs at least one.")
        ids = [s.id.lower() for s in subscriptions]
        for double in sorted({i for i in ids if ids.count(i) > 1}):
            self.say(f"The subscription {double} is there twice.")
        taken = section.get("taken_names") or {}
        self.keys(taken, set(TAKEN), "taken_names")
        world = World(
            tenant,
            subscriptions,
            regions,
            {kind: frozenset(str(n).lower() for n in taken.get(kind) or ()) for kind in TAKEN},
            self.number(section, "operation_s", 0.0, 0, 3600),
            {k.lower(): float(v) for k, v in (section.get("operation_s_by_type") or {}).items()},
            int(self.number(section, "retry_after_s", 1, 0, 600)),
            int(self.number(section, "page_size", 100, 1, 1000)),
            tuple(str(v) for v in section.get("kubernetes_versions") or table("kubernetes")["versions"]),
            int(self.number(section, "databricks_workspaces_max", 2, 0, 8)),
            self.number(section, "cluster_start_s", 0.0, 0, 3600),
            self.number(section, "role_propagation_s", 0.0, 0, 3600),
            str(section.get("operator_network", "")),
            tuple(self.fault(item) for item in section.get("faults") or ()),
        )
        if self.problems:
            raise ImpossibleWorld(self.problems)
        return world

    def tenant(self, item: Mapping[str, Any], regions: tuple[str, ...]) -> Tenant:
        self.keys(item, _TENANT_KEYS, "tenant")
        for name in ("id", "client_id"):
            self.guid(item.get(name), f"tenant.{name}")
        groups = {str(name): str(id_).lower() for name, id_ in (item.get("groups") or {}).items()}
        for principal in (*(item.get("principals") or ()), *groups.values()):
            self.guid(principal, "tenant.principals and tenant.groups")
        if not item.get("client_secret"):
            self.say("The tenant has no `client_secret`, so nobody could log in.")
        if "directory_role" in item:
            self.one_of(item["directory_role"], DIRECTORY_ROLES, "The tenant's `directory_role`")
        return Tenant(
            str(item.get("id", "")),
            str(item.get("name", "Contoso")),
            str(item.get("client_id", "")),
            str(item.get("client_secret", "")),
            bool(item.get("client_secret_expired", False)),
            str(uuid.uuid5(uuid.NAMESPACE_URL, f"{item.get('client_id')}#servicePrincipal")),
            (*(str(p).lower() for p in item.get("principals") or ()), *groups.values()),
            regions,
            groups,
            str(item.get("directory_role", "")),
        )

    def subscription(self, item: Mapping[str, Any], regions: Mapping[str, Any]) -> Subscription:
        name = str(item.get("name") or item.get("id"))
        self.keys(item, _names(Subscription), f"subscription {name}")
        self.guid(item.get("id"), f"the id of subscription {name}")
        self.one_of(item.get("state", "Enabled"), STATES, f"The state of subscription {name}")
        self.one_of(item.get("role", "Owner"), ROLES, f"The role in subscription {name}")
        quotas = {"quotas": item.get("quotas") or {}, "model_quotas": item.get("model_quotas") or {}}
        families = {row["family"].lower(): row["family"] for row in table("skus")["sizes"].values()} | {
            "cores": "cores",
            "lowprioritycores": "lowPriorityCores",
        }
        read: dict[str, dict[str, dict[str, Quota]]] = {}
        for key, by_region in quotas.items():
            for region, rows in by_region.items():
                if region not in regions:
                    self.say(f"Subscription {name} has {key} in {region}, which is not one of its regions{_meant(region, regions)}.")
                for family, value in rows.items():
                    quota = Quota(int(value["limit"]), int(value.get("used", 0))) if isinstance(value, Mapping) else Quota(int(value))
                    if quota.limit < 0 or quota.used < 0 or quota.used > quota.limit:
                        self.say(
                            f"The quota {family} in {region} has {quota.used} used of {quota.limit}; used must be between 0 and the limit."
                        )
                    if key == "quotas" and family.lower() not in families:
                        self.say(f"There is no vCPU family called {family}{_meant(family, families.values())}.")
                    read.setdefault(key, {}).setdefault(region, {})[families.get(family.lower(), family)] = quota
        restrictions = []
        for row in item.get("sku_restrictions") or ():
            if row.get("region") not in regions:
                self.say(
                    f"A SKU restriction names the region {row.get('region')}, which is not one of the "
                    f"world's{_meant(row.get('region'), regions)}."
                )
            restrictions.append(
                SkuRestriction(
                    str(row.get("sku", "")),
                    str(row.get("region", "")),
                    str(row.get("reason", "NotAvailableForSubscription")),
                    tuple(map(str, row.get("zones") or ())),
                )
            )
        return Subscription(
            str(item.get("id", "")),
            name,
            str(item.get("state", "Enabled")),
            str(item.get("role", "Owner")),
            read.get("quotas", {}),
            read.get("model_quotas", {}),
            tuple(restrictions),
            frozenset(str(n).lower() for n in item.get("unregistered") or ()),
            tuple(self.policy(p, regions) for p in item.get("policies") or ()),
            item.get("groups") or {},
            tuple(item.get("deleted_vaults") or ()),
            tuple(item.get("deleted_accounts") or ()),
            {str(group): float(daily) for group, daily in (item.get("costs_daily") or {}).items()},
        )

    def policy(self, item: Mapping[str, Any], regions: Mapping[str, Any]) -> PolicyRule:
        name = str(item.get("name", ""))
        self.keys(item, _POLICY_KEYS, f"policy {name or '(without a name)'}")
        if not name:
            self.say("A policy has no name.")
        conditions = [k for k in ("allowed_locations", "required_tags", "denied_types", "require") if item.get(k)]
        if len(conditions) != 1:
            self.say(
                f"Policy {name} must have exactly one of allowed_locations, required_tags, denied_types and require; it has "
                f"{len(conditions)}."
            )
        for region in item.get("allowed_locations") or ():
            if region not in regions and region != "global":
                self.say(f"Policy {name} allows {region}, which is not one of the world's regions{_meant(region, regions)}.")
        self.one_of(item.get("asked_of", "resources"), ("resources", "groups"), f"`asked_of` of policy {name}")
        require = item.get("require") or {}
        if require and not {"type", "property", "one_of"} >= set(require) >= {"type", "property", "one_of"}:
            self.say(f"`require` of policy {name} needs exactly type, property and one_of.")
        return PolicyRule(
            name,
            str(item.get("display_name", name)),
            tuple(item.get("allowed_locations") or ()),
            tuple(item.get("required_tags") or ()),
            tuple(item.get("denied_types") or ()),
            str(require.get("type", "")),
            str(require.get("property", "")),
            tuple(require.get("one_of") or ()),
            str(item.get("asked_of", "resources")),
        )

    def fault(self, item: Mapping[str, Any]) -> Fault:
        when = str(item.get("when", ""))
        self.keys(item, _FAULT_KEYS, f"fault {when}")
        if not re.match(r"[A-Z*]+ \S", when):
            self.say(f"A fault's `when` is a method and a path pattern like `PUT *Microsoft.KeyVault/vaults/*`, not '{when}'.")
        given = [k for k in ("answer", "fails", "delay_s") if k in item]
        if ("answer" in given and "fails" in given) or not given:
            self.say(f"The fault '{when}' needs an answer, or a way it fails later (`fails`), or a delay_s.")
        nth = item.get("nth", ())
        body = item.get("answer") or item.get("fails") or {}
        status = int(body.get("status", 0))
        if "answer" in given and not 400 <= status <= 599:
            self.say(f"The fault '{when}' answers {status}; a fault's status is between 400 and 599.")
        wait = body.get("retry_after_s")
        return Fault(
            when,
            (int(nth),) if isinstance(nth, int) else tuple(int(n) for n in nth),
            status,
            str(body.get("code", "InternalServerError")),
            str(body.get("message", "Encountered internal server error.")),
            None if wait is None else int(wait),
            float(item.get("delay_s", 0.0)),
            "fails" in given,
        )

    def keys(self, item: Mapping[str, Any], known: set[str], where: str) -> None:
        for key in item:
            if key not in known:
                self.say(f"{where} has the unknown key {key}{_meant(key, known)}.")

    def guid(self, value: Any, where: str) -> None:
        if not isinstance(value, str) or not _GUID.fullmatch(value):
            self.say(f"{where} must be a GUID, not '{value}'.")

    def one_of(self, value: Any, known: tuple[str, ...], what: str) -> None:
        if value not in known:
            self.say(f"{what} is '{value}'; it must be one of {', '.join(known)}.")

    def number(self, section: Mapping[str, Any], key: str, default: float, least: float, most: float) -> float:
        value = section.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.say(f"{key} is '{value}'; it must be a number from {least} to {most}.")
            return default
        return float(value)


def _meant(name: Any, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(known), 3)
    # People rarely mistype the first letter: estus2 is eastus2, not westus2.
    close.sort(key=lambda found: found[:1] != str(name)[:1])
    return f" (did you mean {close[0]}?)" if close else ""
