"""Offers redundancies for a storage account, each priced, and composes the picked one."""

from __future__ import annotations

from tools.rules.azure import names as azure_names
from tools.rules.azure.names import Base
from tools.rules.azure.review import shipped_prices, subscription
from tools.rules.machines.choices import candidate_of
from tools.rules.machines.machines import number, strings, text
from tools.rules.names import regions as azure_regions
from tools.rules.plans import pricing
from tools.values.manifest import Command, Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot
from tools.values.trouble import RequestProblem

NUMBERS_MAX = 99
KINDS = ("LRS", "ZRS", "GRS")
MEANING = {
    "LRS": "Three copies in one data centre.",
    "ZRS": "Three copies in three zones of the region: it outlives one of them.",
    "GRS": "Copies in two regions: it outlives one of them.",
}
OPERATION_MIB = 4


def offer(needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
    seen = subscription(snapshot)
    name, region, budget = text(needs, "name"), text(needs, "region"), needs.field("budget_monthly")
    shut: list[Exclusion] = []
    if seen.regions and region not in {r.name for r in seen.regions}:
        shut.append(Exclusion(subject=f"region {region}", reason="the subscription does not have it"))
    if name and _is_taken(name, seen, reserved):
        shut.append(
            Exclusion(subject=f"name {name}", reason="it is in use, and the name of a storage account is unique in all of Azure")
        )
        free = next((n for n in (f"{name[:22]}{i}" for i in range(2, 50)) if not _is_taken(n, seen, reserved)), "")
        return PartOffer(
            capability=needs.capability, candidates=(), exclusions=tuple(shut), counter_offer=f"Say another name, such as {free}."
        )
    found: list[Candidate] = []
    wanted = text(needs, "redundancy")
    for kind in () if shut else KINDS:
        cost = monthly(needs, kind)
        if wanted and kind != wanted:
            continue
        if kind == "ZRS" and not azure_regions.has_zones(region):
            shut.append(Exclusion(subject=kind, reason=f"{region} has no availability zones"))
        elif budget is not None and cost > float(str(budget.value)):
            shut.append(
                Exclusion(subject=kind, reason=f"it costs {cost:,.2f} USD a month, more than the budget of {budget.value:,}")
            )
        else:
            found.append(Candidate(id=kind.lower(), title=f"{kind}, about {cost:,.2f} USD a month", score=_score(kind, needs),
                                   reasons=(MEANING[kind], f"About {cost:,.2f} USD a month at list prices."), choice={"redundancy": kind}))  # fmt: skip
    found.sort(key=lambda c: (-c.score, c.id))
    cheapest = min((monthly(needs, kind), kind) for kind in ((wanted,) if wanted else KINDS))
    raised = f"It would fit with a budget of {cheapest[0] + 1:,.0f} USD a month, as {cheapest[1]}." if budget is not None else ""
    return PartOffer(
        capability=needs.capability,
        candidates=tuple(found),
        exclusions=tuple(shut),
        summary=f"{seen.subscription_name or 'The subscription'}, {azure_regions.display(region)}.",
        counter_offer="" if found else raised,
    )


def _score(kind: str, needs: Needs) -> float:
    """Zones for production, one data centre elsewhere; a second region only when it is asked for."""
    first = "ZRS" if text(needs, "environment") == "production" else "LRS"
    return {"ZRS": 0.7, "LRS": 0.5, first: 0.9}.get(kind, 0.3)


def _is_taken(name: str, seen: SubscriptionSnapshot, reserved: Reserved) -> bool:
    return azure_names.check_key("storage", name) in seen.names_taken or name in reserved.names


def monthly(needs: Needs, redundancy: str) -> float:
    lines = (
        pricing.line("", key, quantity, text(needs, "region"), shipped_prices())
        for resource in resources(needs, redundancy, {"resource_group": "", "storage": "", "logs": ""})
        for key, quantity in resource.meters
    )
    return round(sum(line.amount for line in lines if line.amount is not None), 2)


def resources(needs: Needs, redundancy: str, names: dict[str, str]) -> tuple[Resource, ...]:
    where = f"{text(needs, 'region')}, {names['resource_group']}"
    stored, logs = number(needs, "stored_gb"), number(needs, "log_gb")
    lake = bool(needs.field("data_lake") and needs.field("data_lake").value)  # type: ignore[union-attr]
    operations = f"{'adls' if lake else 'blob'}.hot.writes"
    return (
        Resource(name=names["resource_group"], kind="resource group", where=where, size="", because="So that it goes together."),
        Resource(name=names["storage"], kind="data lake (ADLS Gen2)" if lake else "storage account", where=where,
                 size=f"{stored:,} GB, {redundancy}, containers {', '.join(strings(needs, 'containers'))}",
                 because="Identities only, TLS 1.2, closed but for named addresses.",
                 meters=((f"blob.hot.{redundancy}", stored), (operations, round(stored * 1024 / OPERATION_MIB / 10_000, 2)))),
        Resource(name=names["logs"], kind="Log Analytics workspace", where=where, size=f"{logs} GB a month",
                 because="Who wrote and who deleted.", meters=(("log_analytics.ingestion", logs),)),
    )  # fmt: skip


def compose(needs: Needs, offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved) -> Part:
    seen = subscription(snapshot)
    candidate = candidate_of(offer, pick)
    redundancy = candidate.choice["redundancy"]
    names = names_of(needs, seen, site, reserved)
    environment = text(needs, "environment")
    lake = needs.field("data_lake")
    return Part(
        name=needs.capability,
        capability=needs.capability,
        target="azure",
        needs=needs,
        candidate=candidate.id,
        because=" ".join(filter(None, [pick.because, *candidate.reasons])),
        module="storage_account",
        variables={
            "subscription_id": seen.subscription_id,
            "location": text(needs, "region"),
            "tags": {"owner": text(needs, "team"), "team": text(needs, "team"), "environment": environment, "managed_by": "berth",
                     **dict(site.environment(environment).tags)},
            "names": names,
            "data_lake": bool(lake and lake.value),
            "redundancy": redundancy,
            "containers": list(strings(needs, "containers")),
            "allowed_ranges": list(strings(needs, "allowed_ranges")),
        },
        resources=resources(needs, redundancy, names),
        commands=_commands(names, strings(needs, "containers")[0]),
        facts={"savings": _savings(needs, redundancy)},
    )  # fmt: skip


def _savings(needs: Needs, redundancy: str) -> list[str]:
    saved = monthly(needs, redundancy) - monthly(needs, "LRS")
    return [f"One data centre (LRS) instead of {redundancy}: {saved:,.2f} USD a month less."] if saved >= 1 else []


def _commands(names: dict[str, str], container: str) -> tuple[Command, ...]:
    account = ("--account-name", names["storage"], "--auth-mode", "login")
    return (
        Command(purpose="List the containers", argv=("az", "storage", "container", "list", *account, "--output", "table"), runs_here=False),
        Command(purpose="Put a file there", argv=("az", "storage", "blob", "upload", *account, "--container-name", container, "--file", "README.md"),
                runs_here=False),
        Command(purpose="See its settings", argv=("az", "storage", "account", "show", "--resource-group", names["resource_group"], "--name",
                                                  names["storage"]), runs_here=False),
    )  # fmt: skip


def _base(needs: Needs, number_: int = 1) -> Base:
    return Base(text(needs, "workload"), text(needs, "team"), text(needs, "environment"), text(needs, "region"), number_)


def _salt(needs: Needs, site: Site) -> str:
    return site.environment(text(needs, "environment")).subscription_id


def names_of(needs: Needs, seen: SubscriptionSnapshot, site: Site, reserved: Reserved) -> dict[str, str]:
    used = {g.name.lower() for g in seen.groups} | {n.lower() for n in reserved.names}
    base = next(
        (b for b in (_base(needs, n) for n in range(1, NUMBERS_MAX + 1)) if b.name("resource_group").lower() not in used), None
    )
    if base is None:
        raise RequestProblem(
            "There are no free names left.", f"{NUMBERS_MAX} storage accounts of that name exist.", "Say another team."
        )
    taken = {*seen.names_taken, *(azure_names.check_key("storage", n) for n in reserved.names)}
    name = text(needs, "name") or azure_names.free_global(base, "storage", _salt(needs, site), taken)
    if not name:
        raise RequestProblem("A global name is taken.", "No name for the storage account was free.", "Say another name.")
    return {"resource_group": base.name("resource_group"), "storage": name, "logs": base.name("logs")}


def names_to_check(needs: Needs, site: Site) -> tuple[str, ...]:
    if not needs.field("region") or not needs.field("environment"):
        return ()
    name = text(needs, "name")
    several = (
        [name, *(f"{name[:22]}{i}" for i in range(2, 5))]
        if name
        else azure_names.global_names(_base(needs), "storage", _salt(needs, site))
    )
    return tuple(azure_names.check_key("storage", one) for one in several)


def regions_of(needs: Needs, site: Site) -> tuple[str, ...]:
    region = text(needs, "region")
    return (region,) if region else ()
