"""Offers designs for a data workspace (GPU, storage path, spot or not), each priced and held against quota and budget; composes the picked one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from tools.capabilities.data_workspace.commands import commands
from tools.capabilities.data_workspace.design import Choice, Design, shipped_prices
from tools.rules.azure import names as azure_names
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.names import Base
from tools.rules.azure.review import subscription
from tools.rules.machines.capacity import fullness, spell_sum
from tools.rules.machines.choices import candidate_of
from tools.rules.machines.machines import number, strings, text
from tools.rules.names import naming
from tools.rules.names import regions as azure_regions
from tools.values.manifest import Part
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs, Origin
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot
from tools.values.trouble import RequestProblem

MODULE = "data_workspace"
CANDIDATES_MAX = 6
NUMBERS_MAX = 99
PATHS = {"service_endpoint": "service endpoints", "private_endpoint": "private endpoints", "nat": "the NAT gateway"}
GLOBAL = ("storage", "vault")


def offer(needs: Needs, snapshot: Snapshot, site: Site, reserved: Reserved) -> PartOffer:
    seen = subscription(snapshot)
    region = text(needs, "region")
    shut = [*_region_exclusions(needs, seen)]
    ranked: list[tuple[float, Candidate]] = []
    if not shut:
        for choice in choices(needs):
            design = Design(needs, choice)
            problem = _problem(design, seen)
            if problem:
                shut.append(Exclusion(subject=title(design), reason=problem))
            else:
                ranked.append((_score(design), _candidate(design, seen)))
        shut += _what_does_not_fit(needs, [c for _, c in ranked])
    ranked.sort(key=lambda one: (-one[0], one[1].id))
    candidates = tuple(candidate for _, candidate in ranked[:CANDIDATES_MAX])
    return PartOffer(
        capability=needs.capability,
        candidates=candidates,
        exclusions=tuple(shut),
        summary=_summary(needs, seen),
        counter_offer="" if candidates else _counter_offer(needs, seen, region),
    )


def choices(needs: Needs) -> Iterator[Choice]:
    kind, path, machines = text(needs, "gpu_kind"), text(needs, "storage_path"), text(needs, "machines")
    gpus = [size.name for size in azure_sizes.gpu_sizes(kind)] if _yes(needs, "gpu") else [""]
    for gpu in gpus:
        for one_path in [path] if path else ["service_endpoint", "private_endpoint"]:
            for spot in [machines == "spot"] if machines else [True, False]:
                yield Choice(gpu=gpu, path=one_path, spot=spot)


def id_of(choice: Choice) -> str:
    """`t4/service-endpoint/spot`"""
    gpu = azure_sizes.sizes()[choice.gpu].gpu_kind.lower() if choice.gpu else "no-gpu"
    return "/".join((gpu, choice.path.replace("_", "-"), "spot" if choice.spot else "on-demand"))


def title(design: Design) -> str:
    choice = design.choice
    gpu = f"one {azure_sizes.sizes()[choice.gpu].gpu_kind}" if choice.gpu else "no GPU"
    return f"{gpu}, data over {PATHS[choice.path]}, workers {'on spot' if choice.spot else 'on demand'}"


def _problem(design: Design, seen: SubscriptionSnapshot) -> str:
    """Why this design cannot be had: sizes, quota, budget."""
    sizes = (azure_sizes.sku_problem(w.size, seen, design.region) for w in design.wanted())
    if missing := next(filter(None, sizes), ""):
        return missing
    if over := [one for one in design.sums(seen) if not one.holds]:
        return f"the quota does not carry it: {spell_sum(over[0])}"
    if design.spark.workers > azure_sizes.WORKERS_MAX:
        return f"it needs {design.spark.workers:,} workers, and one cluster has at most {azure_sizes.WORKERS_MAX} here; widen the window"
    budget, cost = _budget(design.needs), design.monthly(shipped_prices())
    if budget is not None and cost > budget:
        return f"it costs {cost:,.0f} USD a month, more than the budget of {budget:,.0f}"
    return ""


def _candidate(design: Design, seen: SubscriptionSnapshot) -> Candidate:
    sums = design.sums(seen)
    worst = azure_sizes.worst(sums)
    cost, budget = design.monthly(shipped_prices()), _budget(design.needs)
    of = f" of the {budget:,.0f} allowed" if budget is not None else ""
    spark = design.spark
    reasons = [
        f"About {cost:,.0f} USD a month{of}, at list prices.",
        f"{spark.workers} x {azure_sizes.WORKER} do {number(design.needs, 'daily_gb'):,} GB within "
        f"{number(design.needs, 'window_hours')} hours a day.",
        design.path_because if not design.path_meters else f"{design.path_because} {_path_cost(design):,.0f} USD a month of it.",
    ]
    if design.choice.gpu:
        reasons.append(f"{design.choice.gpu} for {design.gpu_hours} hours a month.")
    if design.choice.spot:
        reasons.append("Azure may take spot workers back; Spark then does their work again.")
    return Candidate(
        id=id_of(design.choice),
        title=title(design),
        score=round(_score(design), 3),
        reasons=tuple(reasons),
        binding=worst.subject if worst else "",
        sums=sums,
        choice=asdict(design.choice),
    )


def _score(design: Design) -> float:
    """The modest GPU, the free path and, outside production, spot come first; then the cheaper."""
    production = text(design.needs, "environment") == "production"
    gpu = azure_sizes.sizes()[design.choice.gpu].gpu_kind if design.choice.gpu else ""
    score = 0.4 * (gpu in ("", "T4") or bool(text(design.needs, "gpu_kind")))
    score += 0.3 * (design.choice.path == "service_endpoint")
    score += 0.2 * (design.choice.spot != production)
    return score + 0.1 / (1 + design.monthly(shipped_prices()) / 10_000)


def _path_cost(design: Design) -> float:
    return design.by_resource(shipped_prices())["data path"]


def _what_does_not_fit(needs: Needs, fitting: list[Candidate]) -> Iterator[Exclusion]:
    """What somebody may think of and what it would do to the bill: told with figures, never built."""
    if not fitting:
        return
    choice = next(choices(needs))
    base = Design(needs, choice)
    budget = _budget(needs)
    nat = base.with_(path="nat")
    yield Exclusion(
        subject="data over the NAT gateway",
        reason=f"the data path alone would cost {_path_cost(nat):,.0f} USD a month" + _against(nat, budget),
    )
    if choice.gpu:
        always = base.with_(gpu=azure_sizes.gpu_sizes("A100")[0].name, gpu_hours=730)
        yield Exclusion(
            subject="an A100 around the clock",
            reason=f"all of it would cost {always.monthly(shipped_prices()):,.0f} USD a month"
            f"{_against(always, budget, short=True)}; the pool is empty when nothing is trained",
        )
        dear = always.with_(path="private_endpoint", spot=False)
        if budget is not None and dear.monthly(shipped_prices()) > budget >= always.monthly(shipped_prices()):
            yield Exclusion(
                subject="an A100 around the clock, over private endpoints, workers on demand",
                reason=f"all of it would cost {dear.monthly(shipped_prices()):,.0f} USD a month, more than the budget of {budget:,.0f}",
            )


def _against(design: Design, budget: float | None, *, short: bool = False) -> str:
    cost = design.monthly(shipped_prices())
    if budget is None or cost <= budget:
        return ""
    return f", over the budget of {budget:,.0f}" if short else f", and all of it {cost:,.0f}, over the budget of {budget:,.0f}"


def _region_exclusions(needs: Needs, seen: SubscriptionSnapshot) -> Iterator[Exclusion]:
    region = text(needs, "region")
    known = [r.name for r in seen.regions]
    if known and region not in known:
        yield Exclusion(
            subject=f"region {region}", reason=naming.unknown("region of this subscription", region, known).rstrip(".")
        )


def _summary(needs: Needs, seen: SubscriptionSnapshot) -> str:
    region = text(needs, "region")
    sums = Design(needs, next(choices(needs))).sums(seen)
    lines = [f"{seen.subscription_name or 'The subscription'}, {azure_regions.display(region)}."]
    return "\n".join([*lines, *(f"{spell_sum(s)}" for s in sorted(sums, key=fullness, reverse=True)[:4])])


def _counter_offer(needs: Needs, seen: SubscriptionSnapshot, region: str) -> str:
    """The smallest change that would fit; each is tried by the rules above before it is said."""
    budget = _budget(needs)
    fits_but_money = [d for d in (Design(_without(needs, "budget_monthly"), c) for c in choices(needs)) if not _problem(d, seen)]
    if budget is not None and fits_but_money:
        cheapest = min(fits_but_money, key=lambda d: d.monthly(shipped_prices()))
        cost = cheapest.monthly(shipped_prices())
        less = _less_for(budget, cheapest)
        raised = f"It would fit with a budget of {-(-cost // 100) * 100:,.0f} USD a month: {title(cheapest)}."
        return f"{raised} {less}".strip()
    for other in _regions_near(region, seen):
        moved = _with(needs, "region", other)
        if any(not _problem(Design(moved, c), seen) for c in choices(moved)):
            return f"It would fit in {other}."
    window = number(needs, "window_hours")
    for wider in range(window + 1, 25):
        longer = _with(needs, "window_hours", wider)
        if any(not _problem(Design(longer, c), seen) for c in choices(longer)):
            return f"It would fit with a window of {wider} hours instead of {window}."
    if _yes(needs, "gpu") and any(not _problem(Design(needs, Choice(path=c.path, spot=c.spot)), seen) for c in choices(needs)):
        return "It would fit without the GPU; ask for its quota meanwhile."
    return ""


def _less_for(budget: float, design: Design) -> str:
    for days in (21, 14, 7, 3, 1):
        if days >= number(design.needs, "retention_days") or _said(design.needs, "stored_gb"):
            continue
        if design.with_(retention_days=days).monthly(shipped_prices()) <= budget:
            return f"Or within the {budget:,.0f} when data is kept {days} days."
    return ""


def _regions_near(region: str, seen: SubscriptionSnapshot) -> Iterable[str]:
    """Those that were looked at, of the same part of the world first."""
    looked = {s.region for s in seen.skus} - {region}
    return sorted(looked, key=lambda r: (azure_regions.geography(r) != azure_regions.geography(region), r))


def compose(needs: Needs, offer: PartOffer, pick: Pick, snapshot: Snapshot, site: Site, reserved: Reserved) -> Part:
    seen = subscription(snapshot)
    candidate = candidate_of(offer, pick)
    design = Design(needs, Choice(**candidate.choice))
    names = names_of(needs, seen, site, reserved)
    tags = tags_of(needs, site)
    made = design.resources(names)
    variables = {
        "subscription_id": seen.subscription_id,
        "location": design.region,
        "tags": tags,
        "names": names,
        "address_space": address_space(names["resource_group"]),
        "pools": _pools(design),
        "api_ranges": list(strings(needs, "api_ranges")),
        "storage_path": design.choice.path,
        "redundancy": design.redundancy,
        "cool_after_days": 0,
        # Data is deleted only when somebody said how long it is kept, never on an assumption.
        "delete_after_days": number(needs, "retention_days") if _said(needs, "retention_days") else 0,
        "alert_email": text(needs, "alert_email"),
    }
    return Part(
        name=needs.capability,
        capability=needs.capability,
        target="azure",
        needs=needs,
        candidate=candidate.id,
        because=" ".join(filter(None, [pick.because, *candidate.reasons])),
        module=MODULE,
        variables=variables,
        resources=made,
        commands=commands(names, strings(needs, "api_ranges")),
        facts={
            "savings": list(savings(design)),
            "worker": azure_sizes.WORKER,
            "workers": design.spark.workers,
            "gpu": design.choice.gpu,
            "shuffle_gib": azure_sizes.sizes()[azure_sizes.WORKER].local_disk_gib,
            "quota": [s.model_dump(mode="json") for s in candidate.sums],
        },
        confirm=_confirm(design),
    )


def _confirm(design: Design) -> str:
    return f"It makes machines with GPUs ({design.choice.gpu})." if design.choice.gpu else ""


def savings(design: Design) -> Iterator[str]:
    """Each is the difference of two estimates by the same rows."""
    prices = shipped_prices()
    now = design.monthly(prices)

    def saved(other: Design) -> float:
        return now - other.monthly(prices)

    options = []
    if not design.choice.spot:
        options.append(("Spot machines for the workers", design.with_(spot=True)))
    if design.choice.path == "private_endpoint":
        options.append(("Service endpoints instead of private endpoints", design.with_(path="service_endpoint")))
    if design.choice.gpu and azure_sizes.sizes()[design.choice.gpu].gpu_kind != "T4":
        options.append(("A T4 instead, where the model fits in its 16 GB", design.with_(gpu=azure_sizes.gpu_sizes("T4")[0].name)))
    if design.choice.gpu and design.gpu_hours > 40:
        options.append((f"Half the GPU hours ({design.gpu_hours // 2} a month)", design.with_(gpu_hours=design.gpu_hours // 2)))
    days = number(design.needs, "retention_days")
    if days > 14 and not _said(design.needs, "stored_gb"):
        options.append((f"Keeping data 14 days instead of {days}", design.with_(retention_days=14)))
    for words, other in sorted(options, key=lambda o: -saved(o[1])):
        if saved(other) >= 1:
            yield f"{words}: {saved(other):,.0f} USD a month less."


def _pools(design: Design) -> list[dict[str, object]]:
    pools: list[dict[str, object]] = [
        {"name": "system", "mode": "System", "vm_size": azure_sizes.SYSTEM, "min_count": azure_sizes.SYSTEM_NODES,
         "max_count": azure_sizes.SYSTEM_NODES},
        {"name": "drivers", "vm_size": azure_sizes.DRIVER, "min_count": 0, "max_count": 2, "labels": {"pool": "drivers"}},
        {"name": "workers", "vm_size": azure_sizes.WORKER, "min_count": 0, "max_count": design.spark.workers, "spot": design.choice.spot,
         "os_disk": "Ephemeral", "labels": {"pool": "workers"}},
    ]  # fmt: skip
    if design.choice.gpu:
        pools.append(
            {"name": "gpu", "vm_size": design.choice.gpu, "min_count": 0, "max_count": 1, "gpu": True, "labels": {"pool": "gpu"}}
        )
    return pools


def base_of(needs: Needs, number_: int = 1) -> Base:
    return Base(text(needs, "workload"), text(needs, "team"), text(needs, "environment"), text(needs, "region"), number_)


def names_of(needs: Needs, seen: SubscriptionSnapshot, site: Site, reserved: Reserved) -> dict[str, str]:
    """The first number of the convention whose group is free, and global names that nobody has."""
    groups = {g.name.lower() for g in seen.groups} | {n.lower() for n in reserved.names}
    base = next(
        (b for b in (base_of(needs, n) for n in range(1, NUMBERS_MAX + 1)) if b.name("resource_group").lower() not in groups),
        None,
    )
    if base is None:
        raise RequestProblem(
            "There are no free names left.", f"{NUMBERS_MAX} workspaces of that name exist.", "Say another name."
        )
    taken = {*seen.names_taken, *(azure_names.check_key(kind, n) for kind in GLOBAL for n in reserved.names)}
    found = {kind: azure_names.free_global(base, kind, salt_of(needs, site), taken) for kind in GLOBAL}
    if lacking := [kind for kind, name in found.items() if not name]:
        raise RequestProblem(
            "A global name is taken.", f"No name for the {' and the '.join(lacking)} was free.", "Say another name."
        )
    return {
        "resource_group": base.name("resource_group"),
        "network": base.name("network"),
        "nat_gateway": base.name("nat_gateway"),
        "public_ip": base.name("public_ip"),
        "nodes_nsg": base.name("nsg", "nodes"),
        "endpoints_nsg": base.name("nsg", "endpoints"),
        "cluster": base.name("cluster"),
        "storage": found["storage"],
        "vault": found["vault"],
        "logs": base.name("logs"),
        "cluster_identity": base.name("identity", "aks"),
        "jobs_identity": base.name("identity", "jobs"),
        "action_group": base.name("action_group"),
        "collection_rule": base.name("collection_rule"),
    }


def salt_of(needs: Needs, site: Site) -> str:
    """Other subscriptions get other global names."""
    return site.environment(text(needs, "environment")).subscription_id


def names_to_check(needs: Needs, site: Site) -> tuple[str, ...]:
    """Global names that may be used, as the scan asks for them."""
    if not needs.field("region") or not needs.field("environment"):
        return ()
    base = base_of(needs)
    return tuple(
        azure_names.check_key(kind, name)
        for kind in GLOBAL
        for name in azure_names.global_names(base, kind, salt_of(needs, site))
    )


def regions_of(needs: Needs, site: Site) -> tuple[str, ...]:
    """The region itself, and one other, so that something can be offered when it is full."""
    region = text(needs, "region")
    return tuple(dict.fromkeys(filter(None, (region, "eastus" if region != "eastus" else "westus2"))))


def tags_of(needs: Needs, site: Site) -> dict[str, str]:
    environment = text(needs, "environment")
    return {
        "owner": text(needs, "team"),
        "team": text(needs, "team"),
        "environment": environment,
        "managed_by": "berth",
        **dict(site.environment(environment).tags),
    }


def address_space(group: str) -> str:
    """A quarter-thousandth of 10.64.0.0/10, by the name: two workspaces seldom share one, and nothing is peered by us."""
    number_ = int.from_bytes(hashlib.sha256(group.encode()).digest()[:2]) % 1024
    return f"10.{64 + number_ // 16}.{number_ % 16 * 16}.0/20"


def _budget(needs: Needs) -> float | None:
    found = needs.field("budget_monthly")
    return float(found.value) if found and isinstance(found.value, int | float) else None


def _yes(needs: Needs, name: str) -> bool:
    found = needs.field(name)
    return bool(found and found.value)


def _said(needs: Needs, name: str) -> bool:
    found = needs.field(name)
    return bool(found and found.origin is Origin.SAID)


def _without(needs: Needs, name: str) -> Needs:
    return needs.model_copy(update={"fields": tuple(f for f in needs.fields if f.name != name)})


def _with(needs: Needs, name: str, value: str | int) -> Needs:
    return needs.model_copy(
        update={"fields": tuple(f.model_copy(update={"value": value}) if f.name == name else f for f in needs.fields)}
    )
