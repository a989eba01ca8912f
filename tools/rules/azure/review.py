"""Checks that every Azure part is held to, from the manifest and a snapshot alone. What is the capability's own stands in its checks.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from ipaddress import ip_network

from tools.data import table
from tools.rules.azure import names as azure_names
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.names import RULES
from tools.rules.azure.sizes import Wanted
from tools.rules.machines.capacity import spell_sum
from tools.rules.names import naming
from tools.values.manifest import Part
from tools.values.price import Price
from tools.values.review import Finding, Severity
from tools.values.site import Reserved
from tools.values.snapshot import Snapshot, SubscriptionSnapshot

TAGS_WANTED = ("owner", "environment")
Checked = tuple[tuple[Finding, ...], tuple[str, ...]]


def subscription(snapshot: Snapshot) -> SubscriptionSnapshot:
    assert isinstance(snapshot, SubscriptionSnapshot), "a capability whose TARGET is azure is handed a subscription"
    return snapshot


@cache
def shipped_prices() -> tuple[Price, ...]:
    """The snapshot that is shipped, for choosing; the estimate of a plan uses the site's own, if it has refreshed it."""
    return tuple(Price.model_validate(row) for row in table("prices"))


def owning(part: Part, ids: Iterable[str]) -> Part:
    """The same part, knowing which of its resources exist: a run that is taken up again does not stumble over its own work."""
    facts = part.facts if isinstance(part.facts, dict) else {}
    return part.model_copy(update={"facts": {**facts, "owned_resource_ids": sorted(set(ids))}})


def owned(part: Part) -> frozenset[str]:
    """Names of what the part has made already, in small letters: `microsoft.keyvault/vaults:kv-x`."""
    ids = part.facts.get("owned_resource_ids", []) if isinstance(part.facts, dict) else []
    return frozenset(_typed(str(id_)) for id_ in ids)


def _typed(id_: str) -> str:
    steps = id_.lower().strip("/").split("/")
    if len(steps) == 4:
        return f"microsoft.resources/resourcegroups:{steps[3]}"
    return f"{steps[-3]}/{steps[-2]}:{steps[-1]}" if len(steps) == 8 else f"{'/'.join(steps[5:-1])}:{steps[-1]}"


class Checks:
    """Gathers what does not hold and what does, check by check."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.findings: list[Finding] = []
        self.passed: list[str] = []

    def check(self, check: str, subject: str, trouble: str, remedy: str, severity: Severity = Severity.ERROR) -> None:
        """`trouble` is empty when it holds."""
        if trouble:
            self.findings.append(
                Finding(severity=severity, check=check, part=self.part.name, subject=subject, detail=trouble, remedy=remedy)
            )
        else:
            self.passed.append(f"{check}:{self.part.name}:{subject}")

    def done(self) -> Checked:
        return tuple(self.findings), tuple(self.passed)


def common(
    checks: Checks,
    snapshot: SubscriptionSnapshot,
    reserved: Reserved,
    *,
    wanted: Iterable[Wanted] = (),
    names: Mapping[str, Sequence[str]] = {},
    spaces: Sequence[str] = (),
) -> None:
    """`names` by kind, as tools.rules.azure.names knows the kinds."""
    variables = checks.part.variables
    region = str(variables["location"])
    _region(checks, snapshot, region)
    _tags(checks, variables.get("tags") or {})
    _names(checks, snapshot, reserved, names)
    _sizes(checks, snapshot, region, tuple(wanted))
    _spaces(checks, spaces)
    other = variables.get("subscription_id") != snapshot.subscription_id
    trouble = "The manifest is for another subscription than the one that was looked at." if other else ""
    checks.check("subscription", snapshot.subscription_id, trouble, "Compose the manifest again.")


def _region(checks: Checks, snapshot: SubscriptionSnapshot, region: str) -> None:
    known = [r.name for r in snapshot.regions]
    trouble = naming.unknown("region of this subscription", region, known) if known and region not in known else ""
    checks.check("region", region, trouble, "Say a region that the subscription has.")


def _tags(checks: Checks, tags: Mapping[str, str]) -> None:
    lacking = [name for name in TAGS_WANTED if not tags.get(name)]
    checks.check(
        "tags",
        checks.part.name,
        f"The tags lack {', '.join(lacking)}." if lacking else "",
        "Say whose it is, and for which environment.",
    )


def _names(checks: Checks, snapshot: SubscriptionSnapshot, reserved: Reserved, names: Mapping[str, Sequence[str]]) -> None:
    taken = {name.lower() for name in snapshot.names_taken}
    groups = {g.name.lower() for g in snapshot.groups}
    promised = {name.lower() for name in reserved.names}
    mine = owned(checks.part)
    for kind, several in names.items():
        for name in several:
            checks.check("name.valid", name, azure_names.name_problem(kind, name), "Say another name.")
            key = azure_names.check_key(kind, name).lower()
            used = key in taken
            used = used or (kind == "resource_group" and name.lower() in groups)
            promise = RULES[kind].scope in ("global", "subscription") and name.lower() in promised
            used = used and key not in mine
            trouble = f"The name {name} of the {RULES[kind].noun} is in use." if used else ""
            trouble = trouble or (f"The name {name} is promised to a plan that is not carried out yet." if promise else "")
            checks.check("name.free", name, trouble, "Compose the manifest again, or say another name.")


def _sizes(checks: Checks, snapshot: SubscriptionSnapshot, region: str, wanted: tuple[Wanted, ...]) -> None:
    for size in dict.fromkeys(w.size for w in wanted):
        known = azure_sizes.sizes().get(size)
        gone = azure_sizes.replacement(known) if known and known.retired else ""
        checks.check("size.current", size, gone, "Leave the size open.")
        problem = azure_sizes.sku_problem(size, snapshot, region)
        checks.check("size.offered", size, f"{problem}." if problem else "", "Say another region, or another kind of machine.")
    if any(key.startswith("microsoft.containerservice/managedclusters:") for key in owned(checks.part)):
        return  # Its machines are counted as in use by now.
    for one in azure_sizes.quota_sums(wanted, snapshot, region):
        trouble = "" if one.holds else f"The quota does not carry it: {spell_sum(one)}."
        checks.check("quota", one.subject, trouble, "Ask for more quota in the portal (Quotas), or say another region.")
    for family in azure_sizes.unseen_families(wanted, snapshot, region):
        checks.check("quota.seen", family, f"The quota of {family} in {region} could not be seen.", "Look at it in the portal (Quotas).",
                     Severity.WARNING)  # fmt: skip


def _spaces(checks: Checks, spaces: Sequence[str]) -> None:
    networks = [ip_network(space) for space in spaces]
    clash = next((f"{a} and {b} overlap." for n, a in enumerate(networks) for b in networks[n + 1 :] if a.overlaps(b)), "")
    checks.check("addresses", checks.part.name, clash, "Compose the manifest again.")
