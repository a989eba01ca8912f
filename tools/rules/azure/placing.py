"""What Databricks, Azure OpenAI and firewall ports share once the facts are read: names that are free, tags, and checks of where they go.

The facts are in tools.rules.azure.facts, how names are made up in tools.rules.azure.names.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.rules.azure import names as azure_names
from tools.rules.azure.names import Base
from tools.rules.names import naming
from tools.rules.request.reading import Reading
from tools.values.manifest import Part
from tools.values.offer import Candidate, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.review import Finding, Severity
from tools.values.site import Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot
from tools.values.trouble import RequestProblem
from tools.values.wanted import Wanted

ANOTHER_MAX = 20
"""Numbers that are tried behind a name before it is given up."""
Checked = tuple[str, Severity, tuple[str, str] | None]
"""(check, severity, what is wrong and what to do, or None when it holds)."""

RESOURCE_GROUP = Wanted(
    name="resource_group",
    kind="name",
    meaning="what the new resource group is to be called",
    words=("resource group", "rg"),
)


def read_name(reading: Reading, fact: str, kind: str) -> None:
    """A name of the operator's own, if Azure takes it."""
    name = reading.facts[fact].value.strip()
    problem = azure_names.name_problem(kind, name)
    if problem:
        reading.problems.append(problem)
    else:
        reading.said(fact, name)


def text(needs: Needs, name: str, otherwise: str = "") -> str:
    found = needs.field(name)
    return str(found.value) if found else otherwise


def number(needs: Needs, name: str, otherwise: float = 0.0) -> float:
    found = needs.field(name)
    return float(found.value) if found and isinstance(found.value, int | float) else otherwise


def subscription(snapshot: Snapshot) -> SubscriptionSnapshot:
    assert isinstance(snapshot, SubscriptionSnapshot), "a capability whose TARGET is azure is handed a subscription"
    return snapshot


def regions_of(needs: Needs, site: Site) -> tuple[str, ...]:
    """What the scan looks at; the chain asks every capability of a cloud for it."""
    region = text(needs, "region")
    return (region,) if region else ()


def tags(needs: Needs, site: Site) -> dict[str, str]:
    """On everything that takes tags. The site's own tags of the environment go before ours."""
    environment, team = text(needs, "environment"), text(needs, "team")
    given = {"owner": team, "team": team, "environment": environment, "managed_by": "berth"}
    return {name: value for name, value in {**given, **dict(site.environment(environment).tags)}.items() if value}


def base_of(needs: Needs, workload: str, snapshot: SubscriptionSnapshot, reserved_names: Iterable[str] = ()) -> Base:
    """Names with the first number whose resource group is not there yet."""
    taken = {g.name.lower() for g in snapshot.groups} | {n.lower() for n in reserved_names}
    bases = [
        Base(workload, azure_names.slug(text(needs, "team")), text(needs, "environment"), text(needs, "region"), n)
        for n in range(1, ANOTHER_MAX)
    ]
    return next((b for b in bases if b.name("resource_group").lower() not in taken), bases[-1])


def group_of(needs: Needs, base: Base) -> str:
    return text(needs, "resource_group") or base.name("resource_group")


def region_problem(needs: Needs, snapshot: SubscriptionSnapshot) -> str:
    region = text(needs, "region")
    known = [r.name for r in snapshot.regions]
    return "" if not known or region in known else naming.unknown("region of this subscription", region, known)


def owns(part: Part) -> frozenset[str]:
    """ARM ids that the part has made already, before a change or in a run that is taken up again; in small letters."""
    found = part.facts.get("owned_resource_ids", ()) if isinstance(part.facts, dict) else ()
    return frozenset(str(one).lower() for one in found)


def group_taken(part: Part, snapshot: SubscriptionSnapshot, name: str) -> bool:
    """A resource group of that name is there, and it is not the part's own."""
    group_id = f"/subscriptions/{snapshot.subscription_id}/resourceGroups/{name}".lower()
    return group_id not in owns(part) and any(g.name.lower() == name.lower() for g in snapshot.groups)


def judged(part: Part, found: Iterable[Checked]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """(check, severity, trouble or None) → findings, and the names of the checks that hold."""
    findings: list[Finding] = []
    passed: list[str] = []
    for check, severity, trouble in found:
        if trouble is None:
            passed.append(f"{check}:{part.name}:{part.name}")
        else:
            detail, remedy = trouble
            findings.append(
                Finding(severity=severity, check=check, part=part.name, subject=part.name, detail=detail, remedy=remedy)
            )
    return tuple(findings), tuple(passed)


def common_checks(part: Part, snapshot: SubscriptionSnapshot) -> list[Checked]:
    """What holds for everything here: a region that there is, a subscription that is the one looked at, a group that is free, tags."""
    variables = part.variables
    problem = region_problem(part.needs, snapshot)
    group = str(variables.get("resource_group_name", ""))
    makes_group = variables.get("make_security_group", True)
    taken = makes_group and group_taken(part, snapshot, group)
    untagged = [name for name in ("owner", "environment") if not variables.get("tags", {}).get(name)]
    other = variables.get("subscription_id") != snapshot.subscription_id
    name_problem = azure_names.name_problem("resource_group", group)
    error = Severity.ERROR
    return [
        ("region.known", error, (problem, "Say another region.") if problem else None),
        (
            "subscription.same",
            error,
            ("The manifest is for another subscription than the one that was looked at.", "Ask again.") if other else None,
        ),
        ("name.resource_group", error, (name_problem, "Say another name.") if name_problem else None),
        (
            "group.free",
            error,
            (f"There is a resource group {group} already, and this part would remove it with itself.", "Say another name for it.")
            if taken
            else None,
        ),
        (
            "tags",
            error,
            (f"The tags {' and '.join(untagged)} are missing.", "Say whose it is, or set BERTH_OPERATOR.") if untagged else None,
        ),
    ]


def candidate_of(part_offer: PartOffer, pick: Pick) -> Candidate:
    for candidate in part_offer.candidates:
        if candidate.id == pick.candidate:
            return candidate
    offered = ", ".join(c.id for c in part_offer.candidates) or "nothing"
    raise RequestProblem(
        "That is not among the candidates.",
        f"{naming.shorten(pick.candidate)} was picked; offered were: {offered}.",
        "Pick one of these.",
    )


def settled(part_offer: PartOffer, pick: Pick, name: str) -> float:
    """A number of the offer's ranges: as picked, within its range, else the default."""
    allowed = next(r for r in part_offer.ranges if r.name == name)
    value = dict(pick.settings).get(name, allowed.default)
    if not allowed.low <= value <= allowed.high:
        raise RequestProblem(
            "A number is outside its range.",
            f"{name} was set to {value:g}; the offer allows {allowed.low:g} to {allowed.high:g} {allowed.unit}.".strip(),
            "Choose a number within the range.",
        )
    return value
