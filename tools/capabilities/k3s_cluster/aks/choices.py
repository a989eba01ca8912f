"""Offers sizes of nodes, with and without nodes of their own for what Azure itself runs there; composes the picked one; says what changes
in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.capabilities.k3s_cluster.aks.commands import commands
from tools.rules.azure import changes, placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.kubernetes import number, release_by_default, releases
from tools.rules.azure.machines import TIERS_GIB
from tools.rules.azure.names import PLAIN_NAMES
from tools.rules.azure.sizes import SYSTEM, Claim, Size
from tools.rules.names import regions as azure_regions
from tools.rules.names.text import join_and
from tools.rules.plans import pricing
from tools.rules.plans.pricing import HOURS_A_MONTH
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Field, Needs, Origin
from tools.values.situation import Situation
from tools.values.value import Json

MODULE = "azure_kubernetes"
KINDS = ("cluster", "network", "nsg", "nat_gateway", "public_ip", "identity", "logs", "action_group", "collection_rule")
SIZES_MAX = 2
SUBNET_PREFIX = 24
"""Azure keeps five addresses of a subnet to itself; nodes, those that replace them, and internal load balancers have the rest."""
SYSTEM_POOL, NODE_POOL = "system", "nodes"
SYSTEM_DISK_GIB = 128
ALERTS = 3
"""Of terraform/azure_kubernetes/monitoring.tf, each over one series."""


@dataclass(frozen=True)
class Pool:
    name: str
    size: str
    count: int
    disk_gib: int
    is_system: bool
    is_only_system: bool
    zones: tuple[str, ...]
    least: int
    """As many as `count` where it does not scale."""

    @property
    def average(self) -> float:
        """What is paid for: halfway between the fewest and the most."""
        return (self.least + self.count) / 2

    @property
    def told(self) -> str:
        return f"{self.count}" if self.least == self.count else f"{self.least} to {self.count}"

    @property
    def variables(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "mode": "System" if self.is_system else "User",
            "vm_size": self.size,
            "count": self.count,
            "disk_gib": self.disk_gib,
            "only_system": self.is_only_system,
            "zones": list(self.zones),
            **({} if self.least == self.count else {"least": self.least}),
        }


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen, region = situation.subscription, needs.text("region")
    if no := placing.no_region(needs, seen):
        return no
    release, problem = release_of(needs, situation)
    if problem:
        known = join_and([one.version for one in releases(seen, region)])
        return placing.nothing(needs, f"Kubernetes {release}".strip(), problem, f"Say one of {known}." if known else "Say `plan again`.")
    fitting = [one for one in azure_sizes.sizes().values() if _carries(one, needs)]
    found: list[Candidate] = []
    shut: list[Exclusion] = []
    for size in sorted(fitting, key=lambda one: _price(one, region, situation)):
        if len({dict(one.choice)["size"] for one in found}) == SIZES_MAX:
            break
        for apart in (True, False):
            if reason := _shut(size, apart, needs, situation, release):
                shut.append(Exclusion(subject=f"{size.name}{', system nodes apart' if apart else ''}", reason=reason))
            else:
                found.append(_candidate(size, apart, len(found), needs, situation, release))
    return PartOffer(
        label=needs.label,
        candidates=tuple(sorted(found, key=lambda one: (-one.score, one.id))),
        exclusions=tuple(shut),
        summary=f"{seen.subscription_name or 'The subscription'}, {azure_regions.display(region)}.",
        counter_offer="" if found else "Ask for fewer or smaller nodes, for more quota in the portal (Quotas), or say another region.",
    )


def release_of(needs: Needs, situation: Situation) -> tuple[str, str]:
    """(minor release, why it cannot be had): what was said, else what Azure takes by itself."""
    known = releases(situation.subscription, needs.text("region"))
    said = needs.text("release")
    if not known:
        return said, "Azure did not tell which releases of Kubernetes the region has"
    if said and said not in {one.version for one in known}:
        return said, f"{azure_regions.display(needs.text('region'))} has {join_and([one.version for one in known])} with Azure's support"
    return said or release_by_default(situation.subscription, needs.text("region")), ""


def _carries(size: Size, needs: Needs) -> bool:
    current = not size.retired and not size.gpu_count
    return current and size.cpu_count >= needs.whole("workers_cpu_count") and size.memory_gib * 1024 >= needs.whole("workers_memory_mib")


def _price(size: Size, region: str, situation: Situation) -> tuple[bool, float, int, float, str]:
    """The cheaper first, and what has no price last."""
    rows = pricing.rows_of(f"vm.{size.name}", region, situation.prices)
    return not rows, rows[0].price if rows else 0.0, size.cpu_count, size.memory_gib, size.name


def pools_of(needs: Needs, size: Size, apart: bool, situation: Situation) -> tuple[Pool, ...]:
    """Spread over zones in production. Nodes of their own for what Azure runs there keep a runaway pod away from the cluster's own work."""
    region, production = needs.text("region"), placing.must_survive(needs)

    def zones(name: str) -> tuple[str, ...]:
        had = azure_sizes.zones(name, situation.subscription, region) if production else ()
        return had if len(had) > 1 else ()

    least = needs.whole("nodes_least", needs.whole("nodes"))
    nodes = Pool(NODE_POOL, size.name, needs.whole("nodes"), needs.whole("workers_disk_gib"), not apart, False, zones(size.name), least)
    count = azure_sizes.system_nodes("production" if production else "")
    system = Pool(SYSTEM_POOL, SYSTEM, count, SYSTEM_DISK_GIB, True, True, zones(SYSTEM), count)
    return (system, nodes) if apart else (nodes,)


def claims(pools: tuple[Pool, ...]) -> tuple[Claim, ...]:
    """A node that is replaced needs room beside the old one."""
    return tuple(Claim(one.size, one.count + 1) for one in pools)


def _shut(size: Size, apart: bool, needs: Needs, situation: Situation, release: str) -> str:
    region, seen = needs.text("region"), situation.subscription
    pools = pools_of(needs, size, apart, situation)
    if problem := next(filter(None, (azure_sizes.sku_problem(one.size, seen, region) for one in pools)), ""):
        return problem
    if over := next((one for one in azure_sizes.quota_sums(claims(pools), seen, region) if not one.holds), None):
        return f"the quota does not carry it: {over.spelt}"
    budget = needs.number("budget_monthly")
    cost = pricing.monthly(_resources(needs, PLAIN_NAMES, pools, release), region, situation.prices)
    return f"it costs {cost:,.0f} USD a month, more than the budget of {budget:,.0f}" if budget and cost > budget else ""


def _candidate(size: Size, apart: bool, rank: int, needs: Needs, situation: Situation, release: str) -> Candidate:
    """System nodes apart for production, none elsewhere: they cost as much as two or three nodes more."""
    region, production = needs.text("region"), placing.must_survive(needs)
    pools = pools_of(needs, size, apart, situation)
    sums = azure_sizes.quota_sums(claims(pools), situation.subscription, region)
    fullest = azure_sizes.worst(sums)
    cost = pricing.monthly(_resources(needs, PLAIN_NAMES, pools, release), region, situation.prices)
    of_system = f"{pools[0].count} nodes of their own run what Azure brings, so that nothing of yours takes their room."
    return Candidate(
        id=f"{size.name.lower()}/{'apart' if apart else 'together'}",
        title=f"{needs.whole('nodes')} x {size.name}{', system nodes apart' if apart else ''}",
        score=round(0.9 - 0.1 * rank - (0.5 if apart != production else 0), 2),
        reasons=(
            f"{size.name} has {size.cpu_count} vCPU and {size.memory_gib:g} GiB, the cheapest that has what was asked for."
            if rank < 2
            else f"{size.name} has {size.cpu_count} vCPU and {size.memory_gib:g} GiB, the next size.",
            of_system if apart else "What Azure brings runs on the same nodes.",
            f"About {cost:,.0f} USD a month, at list prices.",
        ),
        binding=fullest.subject if fullest else "",
        sums=sums,
        choice=(("size", size.name), ("apart", apart), ("release", release)),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    candidate = candidate_of(offer, pick)
    choice = dict(candidate.choice)
    size, release = azure_sizes.sizes()[str(choice["size"])], str(choice["release"])
    pools = pools_of(needs, size, bool(choice["apart"]), situation)
    names = placing.names_of(needs, situation, *KINDS)
    called = dict(names)
    admin = needs.text("administrators")
    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        module=MODULE,
        names=names,
        resources=_resources(needs, called, pools, release),
        variables={
            "address_space": placing.address_space(needs, situation, called["resource_group"], SUBNET_PREFIX),
            "kubernetes_version": release,
            "pools": [one.variables for one in pools],
            "api_ranges": list(needs.strings("api_ranges")),
            "administrators": admin,
            "alert_email": needs.text("alert_email"),
            "hub_id": placing.joined(needs, situation.site)["hub_id"],
        },
        commands=commands(called),
        facts=(
            ("administrators", admin),
            ("group", called["resource_group"]),
            ("release", release),
            ("nsg", called["nsg"]),
            ("nodes", needs.whole("nodes")),
        ),
        savings=tuple(_savings(needs, size, pools, release, situation)),
    )


def _savings(needs: Needs, size: Size, pools: tuple[Pool, ...], release: str, situation: Situation) -> Iterator[str]:
    def cost(some: tuple[Pool, ...]) -> float:
        return pricing.monthly(_resources(needs, PLAIN_NAMES, some, release), needs.text("region"), situation.prices)

    if len(pools) > 1 and (less := cost(pools) - cost(pools_of(needs, size, False, situation))) >= 1:
        yield f"Without system nodes of their own: {less:,.0f} USD a month less."
    yield "A cluster that is stopped (`az aks stop`) costs its disks, its address and its gateway alone."


def _resources(needs: Needs, names: dict[str, str], pools: tuple[Pool, ...], release: str) -> tuple[Resource, ...]:
    made = placing.resources_in(needs, names["resource_group"])
    logs, egress, hours = needs.whole("log_gb"), needs.whole("egress_gb"), HOURS_A_MONTH
    spread = len(pools[0].zones)
    private = () if needs.field("api_ranges") else (("private_endpoint.hour", hours),)
    return (
        made(names["resource_group"], "resource group", "", "So that it goes together."),
        made(
            names["cluster"],
            "AKS cluster",
            f"Kubernetes {release}, Standard tier{f', in {spread} zones' if spread else ''}",
            "Azure runs its servers and brings its patches, at the weekend; people log in as themselves.",
            ("aks.Standard", hours),
            *private,
        ),
        *(
            made(
                one.name,
                "AKS node pool",
                f"{one.told} x {one.size}, {one.disk_gib} GiB disk each",
                "For what Azure brings."
                if one.is_only_system
                else f"For what you run{'' if one.least == one.count else ', counted halfway'}.",
                (f"vm.{one.size}", one.average * hours),
                (f"disk.P{_tier(one.disk_gib)}", one.average),
            )
            for one in pools
        ),
        made(names["network"], "virtual network", "one subnet", "Nothing of the internet comes to a node."),
        made(
            names["nat_gateway"],
            "NAT gateway",
            f"{egress} GB a month",
            "The one way out, with one address.",
            ("nat.hour", hours),
            ("nat.data", egress),
            ("egress.internet", egress),
            ("public_ip.static", hours),
        ),
        made(
            names["logs"],
            "Log Analytics workspace",
            f"{logs} GB a month",
            "Who changed what, what containers write, how nodes fare, and alerts.",
            *placing.log_meters(logs),
            ("alert.metric", ALERTS),
        ),
    )


def _tier(disk_gib: int) -> int:
    return next(number for number, size_gib in TIERS_GIB.items() if size_gib >= disk_gib)


def keep(old: Part, new: Part) -> Part:
    """With the addresses of its network, joined to what it is joined to, and its pools with what they keep for life."""
    kept = changes.keep(old, new)
    before = {pool["name"]: pool for pool in old.variables["pools"]}
    fixed = ("vm_size", "disk_gib", "zones")
    pools = [
        pool | {name: before[pool["name"]][name] for name in fixed} if pool["name"] in before else pool for pool in kept.variables["pools"]
    ]
    same = {name: old.variables[name] for name in ("address_space", "hub_id")}
    return kept.model_copy(update={"variables": {**kept.variables, **same, "pools": pools}})


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    """A release is changed when it is asked for; what Azure takes by itself by now upgrades nothing."""
    had = str(old.variables["kubernetes_version"])
    said = needs.field("release")
    if said is None or said.origin is not Origin.SAID:
        fields = (*(one for one in needs.fields if one.name != "release"), Field(name="release", value=had, origin=Origin.DEFAULT))
        needs = needs.model_copy(update={"fields": fields})
    now = tuple(Claim(str(pool["vm_size"]), int(pool["count"]) + 1) for pool in old.variables["pools"])
    return changes.stay(old, needs, situation, offer, lambda candidate: _reason(old, candidate), machines=now)


def _reason(old: Part, candidate: Candidate) -> str:
    choice = dict(candidate.choice)
    pools = {pool["name"]: pool for pool in old.variables["pools"]}
    if pools[NODE_POOL]["vm_size"] != choice["size"] or (SYSTEM_POOL in pools) != choice["apart"]:
        return f"a node pool keeps its size {pools[NODE_POOL]['vm_size']} and its kind for life"
    return "".join(_steps(str(old.variables["kubernetes_version"]), str(choice["release"])))


def _steps(before: str, after: str) -> Iterator[str]:
    old, new = number(before), number(after)
    if new < old:
        yield f"{after} is older than {before}, and Kubernetes does not go back"
    elif new[1] - old[1] > 1:
        yield f"from {before} to {after} is more than one minor release, and Azure takes them one by one"
