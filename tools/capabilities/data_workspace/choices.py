"""Offers designs for a data workspace (GPU, storage path, spot or not), each priced and held against quota and budget; composes the picked
one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from tools.capabilities.data_workspace.commands import commands
from tools.capabilities.data_workspace.design import DRIVERS_MAX, PATHS, Choice, Design, Ground
from tools.capabilities.data_workspace.objects import IMAGE, wanted
from tools.rules.azure import placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.kubernetes import release_by_default
from tools.rules.names import regions as azure_regions
from tools.rules.names.text import spell_value
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Configure, Part
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.price import Price
from tools.values.requirements import Needs, Origin
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.snapshot import SubscriptionSnapshot
from tools.values.value import Json

CANDIDATES_MAX = 6
GLOBAL = ("storage", "vault")
KINDS = (
    *GLOBAL,
    "network",
    "nat_gateway",
    "public_ip",
    "nodes_nsg",
    "endpoints_nsg",
    "cluster",
    "logs",
    "cluster_identity",
    "jobs_identity",
    "action_group",
    "collection_rule",
)


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen, prices = situation.subscription, situation.prices
    if no := placing.no_region(needs, seen):
        return no
    shut: list[Exclusion] = []
    ranked: list[Candidate] = []
    ground = ground_of(needs, situation)
    for choice in choices(needs):
        design = Design(needs, choice, ground)
        problem = _problem(design, situation)
        if problem:
            shut.append(Exclusion(subject=title(design), reason=problem))
        else:
            ranked.append(_candidate(design, seen, prices))
    if ranked:
        shut += _what_does_not_fit(needs, prices)
    ranked.sort(key=lambda one: (-one.score, one.id))
    return PartOffer(
        label=needs.label,
        candidates=tuple(ranked[:CANDIDATES_MAX]),
        exclusions=tuple(shut),
        summary=_summary(needs, seen),
        counter_offer="" if ranked else _counter_offer(needs, situation),
    )


def ground_of(needs: Needs, situation: Situation) -> Ground:
    had = [azure_sizes.zones(size, situation.subscription, needs.text("region")) for size in (azure_sizes.SYSTEM, azure_sizes.DRIVER)]
    zones = tuple(zone for zone in azure_sizes.ZONES if all(zone in one for one in had))
    release = release_by_default(situation.subscription, needs.text("region"))
    return Ground(zones, bool(placing.joined(needs, situation.site)["dns_zones_id"]), release)


def choices(needs: Needs) -> Iterator[Choice]:
    kind, path, machines = needs.text("gpu_kind"), needs.text("storage_path"), needs.text("machines")
    gpus = [size.name for size in azure_sizes.gpu_sizes(kind)] if needs.yes("gpu") else [""]
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


def _problem(design: Design, situation: Situation) -> str:
    """Why this design cannot be had: sizes, quota, budget."""
    seen = situation.subscription
    sizes = (azure_sizes.sku_problem(w.size, seen, design.region) for w in design.wanted())
    if missing := next(filter(None, sizes), ""):
        return missing
    if over := [one for one in design.sums(seen) if not one.holds]:
        return f"the quota does not carry it: {over[0].spelt}"
    if design.spark.workers > azure_sizes.WORKERS_MAX:
        return f"it needs {design.spark.workers:,} workers, and one cluster has at most {azure_sizes.WORKERS_MAX} here; widen the window"
    budget, cost = design.needs.number("budget_monthly"), design.monthly(situation.prices)
    if budget and cost > budget:
        return f"it costs {cost:,.0f} USD a month, more than the budget of {budget:,.0f}"
    return ""


def _candidate(design: Design, seen: SubscriptionSnapshot, prices: Sequence[Price]) -> Candidate:
    sums = design.sums(seen)
    worst = azure_sizes.worst(sums)
    cost, budget = design.monthly(prices), design.needs.number("budget_monthly")
    of = f" of the {budget:,.0f} allowed" if budget else ""
    spark = design.spark
    reasons = [
        f"About {cost:,.0f} USD a month{of}, at list prices.",
        f"{spark.workers} x {azure_sizes.WORKER} do {spell_value(design.needs.whole('daily_gb'), 'GB')} within "
        f"{design.needs.whole('window_hours')} hours a day.",
        design.path_because if not design.path_meters else f"{design.path_because} {_path_cost(design, prices):,.0f} USD a month of it.",
    ]
    if design.choice.gpu:
        reasons.append(f"{design.choice.gpu} for {design.gpu_hours} hours a month.")
    if design.choice.spot:
        reasons.append("Azure can reclaim spot VMs; Spark then reruns their tasks.")
    return Candidate(
        id=id_of(design.choice),
        title=title(design),
        score=round(_score(design, cost), 3),
        reasons=tuple(reasons),
        binding=worst.subject if worst else "",
        sums=sums,
        choice=tuple(asdict(design.choice).items()),
    )


def _score(design: Design, cost: float) -> float:
    """The modest GPU, the free path and, outside production, spot come first; then the cheaper."""
    production = design.needs.text("environment") == "production"
    gpu = azure_sizes.sizes()[design.choice.gpu].gpu_kind if design.choice.gpu else ""
    score = 0.4 * (gpu in ("", "T4") or bool(design.needs.text("gpu_kind")))
    score += 0.3 * (design.choice.path == "service_endpoint")
    score += 0.2 * (design.choice.spot != production)
    return score + 0.1 / (1 + cost / 10_000)


def _path_cost(design: Design, prices: Sequence[Price]) -> float:
    return design.monthly(prices, "data path")


def _what_does_not_fit(needs: Needs, prices: Sequence[Price]) -> Iterator[Exclusion]:
    """What somebody may think of and what it would do to the bill: told with figures, never built."""
    budget = needs.number("budget_monthly")

    def against(cost: float, words: str) -> str:
        return f"{words}, over the budget of {budget:,.0f}" if budget and cost > budget else ""

    base = Design(needs, next(choices(needs)))
    nat = base.with_(path="nat")
    cost = nat.monthly(prices)
    reason = f"the data path alone would cost {_path_cost(nat, prices):,.0f} USD a month{against(cost, f', and all of it {cost:,.0f}')}"
    yield Exclusion(subject="data over the NAT gateway", reason=reason)
    if base.choice.gpu:
        always = base.with_(gpu=azure_sizes.gpu_sizes("A100")[0].name, gpu_hours=730)
        cost = always.monthly(prices)
        reason = f"all of it would cost {cost:,.0f} USD a month{against(cost, '')}; the pool is empty when nothing is trained"
        yield Exclusion(subject="an A100 around the clock", reason=reason)
        dear = always.with_(path="private_endpoint", spot=False).monthly(prices)
        if budget and dear > budget >= cost:
            yield Exclusion(
                subject="an A100 around the clock, over private endpoints, workers on demand",
                reason=f"all of it would cost {dear:,.0f} USD a month, more than the budget of {budget:,.0f}",
            )


def _summary(needs: Needs, seen: SubscriptionSnapshot) -> str:
    region = needs.text("region")
    sums = Design(needs, next(choices(needs))).sums(seen)
    lines = [f"{seen.subscription_name or 'The subscription'}, {azure_regions.display(region)}."]
    return "\n".join([*lines, *(f"{s.spelt}" for s in sorted(sums, key=lambda one: one.fullness, reverse=True)[:4])])


def _counter_offer(needs: Needs, situation: Situation) -> str:
    """The smallest change that would fit; each is tried by the rules above before it is said."""
    region, budget, prices = needs.text("region"), needs.number("budget_monthly"), situation.prices

    def fits(changed: Needs) -> list[Design]:
        return [design for choice in choices(changed) if not _problem(design := Design(changed, choice), situation)]

    if budget and (but_for_money := fits(_without(needs, "budget_monthly"))):
        cheapest = min(but_for_money, key=lambda d: d.monthly(prices))
        cost = cheapest.monthly(prices)
        raised = f"It would fit with a budget of {-(-cost // 100) * 100:,.0f} USD a month: {title(cheapest)}."
        return f"{raised} {_less_for(budget, cheapest, prices)}".strip()
    for other in _regions_near(region, situation.subscription):
        if fits(_with(needs, "region", other)):
            return f"It would fit in {other}."
    window = needs.whole("window_hours")
    for wider in range(window + 1, 25):
        if fits(_with(needs, "window_hours", wider)):
            return f"It would fit with a window of {wider} hours instead of {window}."
    if needs.yes("gpu") and fits(_with(needs, "gpu", False)):
        return "It would fit without the GPU; ask for its quota meanwhile."
    return ""


def _less_for(budget: float, design: Design, prices: Sequence[Price]) -> str:
    for days in (21, 14, 7, 3, 1):
        if days >= design.needs.whole("retention_days") or _said(design.needs, "stored_gb"):
            continue
        if design.with_(retention_days=days).monthly(prices) <= budget:
            return f"Or within the {budget:,.0f} when data is kept {days} days."
    return ""


def _regions_near(region: str, seen: SubscriptionSnapshot) -> Iterable[str]:
    """Those that were looked at, of the same part of the world first."""
    looked = {s.region for s in seen.skus} - {region}
    return sorted(looked, key=lambda r: (azure_regions.geography(r) != azure_regions.geography(region), r))


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    candidate = candidate_of(offer, pick)
    design = Design(needs, Choice.of(candidate), ground_of(needs, situation))
    names = placing.names_of(needs, situation, *KINDS)
    called, gpu = dict(names), design.choice.gpu
    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        names=names,
        variables={
            "address_space": placing.address_space(needs, situation, called["resource_group"], 20),
            "pools": _pools(design),
            "kubernetes_version": design.ground.release,
            "api_ranges": list(needs.strings("api_ranges")),
            "storage_path": design.choice.path,
            "redundancy": design.redundancy,
            "cool_after_days": 0,
            # Data is deleted only when somebody said how long it is kept, never on an assumption.
            "delete_after_days": needs.whole("retention_days") if _said(needs, "retention_days") else 0,
            "alert_email": needs.text("alert_email"),
            "team_group_id": needs.text("team_group"),
            "budget_monthly": round(needs.number("budget_monthly")),
            "budget_from": f"{situation.subscription.taken_at:%Y-%m}-01" if needs.number("budget_monthly") else "",
            **placing.joined(needs, situation.site),
        },
        configure=Configure(kind="kubernetes", variables=_inside(design)),
        resources=design.resources(called),
        commands=commands(called, needs.label, gpu=bool(gpu)),
        facts=(
            ("worker", azure_sizes.WORKER),
            ("workers", design.spark.workers),
            ("gpu", gpu),
            ("shuffle_gib", azure_sizes.sizes()[azure_sizes.WORKER].local_disk_gib),
            ("spot", design.choice.spot),
            ("image", IMAGE),
            ("team_group", needs.text("team_group")),
            ("budget", f"{needs.number('budget_monthly'):,.0f}" if needs.number("budget_monthly") else ""),
        ),
        savings=tuple(savings(design, situation.prices)),
        confirm=f"It makes machines with GPUs ({gpu})." if gpu else "",
    )


def savings(design: Design, prices: Sequence[Price]) -> Iterator[str]:
    """Each is the difference of two estimates by the same rows."""
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
    days = design.needs.whole("retention_days")
    if days > 14 and not _said(design.needs, "stored_gb"):
        options.append((f"Keeping data 14 days instead of {days}", design.with_(retention_days=14)))
    for words, other in sorted(options, key=lambda o: -saved(o[1])):
        if saved(other) >= 1:
            yield f"{words}: {saved(other):,.0f} USD a month less."


def _pools(design: Design) -> list[dict[str, Json]]:
    """As the module wants them: the system pool first."""

    def pool(name: str, vm_size: str, most: int, **more: Json) -> dict[str, Json]:
        return {"name": name, "vm_size": vm_size, "min_count": 0, "max_count": most, "labels": {"pool": name}, **more}

    system, nodes, zones = azure_sizes.SYSTEM, design.system_nodes, list(design.zones)
    local_gib = azure_sizes.sizes()[azure_sizes.WORKER].local_disk_gib
    return [
        {"name": "system", "mode": "System", "vm_size": system, "min_count": nodes, "max_count": nodes, "zones": zones},
        {**pool("drivers", azure_sizes.DRIVER, DRIVERS_MAX, zones=zones), "min_count": 1},
        # The whole local disk is the system's, so what a pod writes, Spark's shuffles above all, lies there.
        pool("workers", azure_sizes.WORKER, design.spark.workers, spot=design.choice.spot, os_disk="Ephemeral", disk_gib=local_gib),
        *([pool("gpu", design.choice.gpu, 1, gpu=True)] if design.choice.gpu else []),
    ]


def _inside(design: Design) -> Json:
    worker = azure_sizes.sizes()[azure_sizes.WORKER]
    spot, gpu = design.choice.spot, bool(design.choice.gpu)
    return wanted(design.spark.workers, worker.cpu_count, int(worker.memory_gib), spot=spot, gpu=gpu)


def regions_of(needs: Needs, site: Site) -> tuple[str, ...]:
    """The region itself, and one other, so that something can be offered when it is full."""
    region = needs.text("region")
    return tuple(dict.fromkeys(filter(None, (region, "eastus" if region != "eastus" else "westus2"))))


def _said(needs: Needs, name: str) -> bool:
    found = needs.field(name)
    return bool(found and found.origin is Origin.SAID)


def _without(needs: Needs, name: str) -> Needs:
    return needs.model_copy(update={"fields": tuple(f for f in needs.fields if f.name != name)})


def _with(needs: Needs, name: str, value: str | int) -> Needs:
    return needs.model_copy(update={"fields": tuple(f.model_copy(update={"value": value}) if f.name == name else f for f in needs.fields)})
