"""Offers sizes that have what was asked for, by price and quota; composes the picked one; says what changes in place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.capabilities.virtual_machine.azure.facts import KEYS
from tools.rules.azure import changes, placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.placing import for_operator
from tools.rules.azure.sizes import Size, Wanted
from tools.rules.names import naming
from tools.rules.names import regions as azure_regions
from tools.rules.plans import pricing
from tools.rules.request.choosing import candidate_of
from tools.values.manifest import Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.value import Json

MODULE = "azure_machines"
KINDS = ("network", "nsg", "nat_gateway", "public_ip", "logs")
MACHINE = "Microsoft.Compute/virtualMachines"
SIZES_MAX = 3
HOURS = 730.0
SUBNET_PREFIX = 26
"""Azure keeps five addresses of a subnet to itself; 59 are left."""
IMAGE = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}
IMAGE_GIB = 30
DISKS = {"Premium_LRS": "P", "StandardSSD_LRS": "E"}
TIERS_GIB = {4: 32, 6: 64, 10: 128, 15: 256, 20: 512, 30: 1024, 40: 2048, 50: 4096, 60: 8192, 70: 16384, 80: 32767}
"""(tier, largest GiB) that a managed disk is charged as. The tiers are those of the API (AzureDiskSize, read 2026-11-30), their sizes those
of learn.microsoft.com, "Azure managed disk types", from memory."""
SSH = "22"


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen, region = situation.subscription, needs.text("region")
    if no := placing.no_region(needs, seen):
        return no
    fitting = sorted((one for one in azure_sizes.sizes().values() if _carries(one, needs)), key=lambda one: _price(one, region, situation))
    shut: list[Exclusion] = []
    found: list[Candidate] = []
    for size in fitting:
        if len(found) == SIZES_MAX:
            break
        reason = _shut(size, needs, situation)
        if reason:
            shut.append(Exclusion(subject=size.name, reason=reason))
        else:
            found.append(_candidate(size, len(found), needs, situation))
    most = max((one for one in azure_sizes.sizes().values() if not one.gpu_count), key=lambda one: one.cpu_count)
    told = f"{most.cpu_count} cores and {most.memory_gib:g} GB"
    return PartOffer(
        label=needs.label,
        candidates=tuple(found),
        exclusions=tuple(shut),
        summary=f"{seen.subscription_name or 'The subscription'}, {azure_regions.display(region)}.",
        counter_offer="" if found else _counter_offer(bool(fitting), told),
    )


def _counter_offer(any_fits: bool, told: str) -> str:
    if any_fits:
        return "Ask for less, for more quota in the portal (Quotas), or say another region."
    return f"It would fit with at most {told}, the largest size that Berth has figures of."


def _carries(size: Size, needs: Needs) -> bool:
    current = not size.retired and not size.gpu_count
    return current and size.cpu_count >= needs.whole("cpu_count") and size.memory_gib * 1024 >= needs.whole("memory_mib")


def _price(size: Size, region: str, situation: Situation) -> tuple[bool, float, int, float, str]:
    """The cheaper first, and what has no price last."""
    rows = pricing.rows_of(f"vm.{size.name}", region, situation.prices)
    return not rows, rows[0].price if rows else 0.0, size.cpu_count, size.memory_gib, size.name


def _shut(size: Size, needs: Needs, situation: Situation) -> str:
    region, seen = needs.text("region"), situation.subscription
    if problem := azure_sizes.sku_problem(size.name, seen, region):
        return problem
    sums = azure_sizes.quota_sums((Wanted(size.name, needs.whole("count")),), seen, region)
    return next((f"the quota does not carry it: {one.spelt}" for one in sums if not one.holds), "")


def _candidate(size: Size, rank: int, needs: Needs, situation: Situation) -> Candidate:
    count, region = needs.whole("count"), needs.text("region")
    sums = azure_sizes.quota_sums((Wanted(size.name, count),), situation.subscription, region)
    fullest = azure_sizes.worst(sums)
    unpriced, hourly, *_ = _price(size, region, situation)
    priced = "Its price in this region is not known." if unpriced else f"{hourly:,.3f} USD an hour at list price."
    return Candidate(
        id=size.name.lower(),
        title=size.name,
        score=round(0.9 - 0.2 * rank, 2),
        reasons=(
            f"{'The cheapest size' if not rank else 'The next size'} that has what was asked for: {size.cpu_count} vCPU, "
            f"{size.memory_gib:g} GiB. {priced}",
        ),
        binding=fullest.subject if fullest else "",
        sums=sums,
        choice=(("size", size.name),),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    candidate = candidate_of(offer, pick)
    size = azure_sizes.sizes()[str(dict(candidate.choice)["size"])]
    names = placing.names_of(needs, situation, *KINDS)
    called = dict(names)
    group, machines = called["resource_group"], _machines(needs, situation.site)
    az = ("az", "vm")
    first = ("--resource-group", group, "--name", next(iter(machines)))
    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        module=MODULE,
        names=names,
        resources=_resources(needs, called, size, machines),
        variables={
            "machines": machines,
            "address_space": placing.address_space(needs, situation, group, SUBNET_PREFIX),
            "hub_id": placing.joined(needs, situation.site)["hub_id"],
            "ports": list(_ports(needs)),
            "size": size.name,
            "marketplace_image": IMAGE,
            "disk_gib": _disk_gib(needs),
            "disk_type": _disk_type(needs),
            "public_keys": [key for key in needs.strings("public_keys") if key.split(" ")[0] in KEYS],
        },
        commands=(
            for_operator("See the machines and their state", *az, "list", "--resource-group", group, "--show-details", "--output", "table"),
            for_operator(
                "Run a line on the first one, without a way into its network",
                *(*az, "run-command", "invoke", *first, "--command-id", "RunShellScript", "--scripts", "uptime"),
            ),
            for_operator("Read how it started", *az, "boot-diagnostics", "get-boot-log", *first),
        ),
        facts=(("size", size.name), ("group", group)),
        savings=("A machine that is deallocated (`az vm deallocate`) costs its disk alone.",),
    )


def _machines(needs: Needs, site: Site) -> dict[str, Json]:
    """By name, each with its zone: in production they are spread, where the region has zones."""
    count, said = needs.whole("count"), naming.listed(needs.text("name"))
    first = said[0] if said else site.name_pattern.format(workload=needs.text("workload"), number=1)
    called = said if len(said) == count else naming.numbered(first, count)
    spread = needs.text("environment") == "production" and azure_regions.has_zones(needs.text("region"))
    return {name: {"zone": str(number % 3 + 1) if spread else ""} for number, name in enumerate(called)}


def _ports(needs: Needs) -> Iterator[dict[str, str]]:
    """SSH comes in wherever nothing narrower is said of it."""
    said = needs.strings("ports")
    for port in dict.fromkeys(said if any(re.match(rf"{SSH}\b", one) for one in said) else (SSH, *said)):
        door, _, source = port.partition(" from ")
        number, _, protocol = door.strip().partition("/")
        yield {"port": number, "protocol": "udp" if protocol.lower() == "udp" else "tcp", "source": source.strip() or "VirtualNetwork"}


def _disk_gib(needs: Needs) -> int:
    return max(needs.whole("disk_gib"), IMAGE_GIB)


def _disk_type(needs: Needs) -> str:
    return "Premium_LRS" if needs.text("environment") == "production" else "StandardSSD_LRS"


def _resources(needs: Needs, names: dict[str, str], size: Size, machines: dict[str, Json]) -> tuple[Resource, ...]:
    made = placing.resources_in(needs, names["resource_group"])
    disk_gib, kind, logs = _disk_gib(needs), _disk_type(needs), needs.whole("log_gb")
    tier = next(number for number, size_gib in TIERS_GIB.items() if size_gib >= disk_gib)
    ports = [one["port"] for one in _ports(needs)]
    doors = f"port{'s' if len(ports) > 1 else ''} {', '.join(ports)}"
    return (
        made(names["resource_group"], "resource group", "", "So that it goes together."),
        *(
            made(
                name,
                "virtual machine",
                f"{size.name}: {size.cpu_count} vCPU, {size.memory_gib:g} GiB, {disk_gib} GiB disk",
                "Debian 12, Trusted Launch, keys and no password, no public address.",
                (f"vm.{size.name}", HOURS),
                (f"disk.{DISKS[kind]}{tier}", 1.0),
            )
            for name in machines
        ),
        made(names["network"], "virtual network", f"one subnet; {doors} from it and its peers", "Nothing else comes in."),
        made(
            names["nat_gateway"],
            "NAT gateway",
            "one address, for going out",
            "Azure gives a new network no way out by itself; updates need one.",
            ("nat.hour", HOURS),
            ("nat.data", float(needs.whole("egress_gb") * len(machines))),
            ("public_ip.static", HOURS),
        ),
        made(names["logs"], "Log Analytics workspace", f"{logs} GB a month", "Metrics of the machines.", *placing.log_meters(logs)),
    )


def keep(old: Part, new: Part) -> Part:
    """With what Azure changes of no machine that exists: zone, keys, image, kind of disk; and the addresses of its network."""
    kept = changes.keep(old, new)
    machines = {
        **new.variables["machines"],
        **{name: one for name, one in old.variables["machines"].items() if name in new.variables["machines"]},
    }
    fixed = {name: old.variables[name] for name in ("address_space", "public_keys", "marketplace_image", "disk_gib", "disk_type")}
    group = kept.owned[0]
    ids = tuple(f"{group}/providers/{MACHINE}/{name}" for name in old.variables["machines"])
    return kept.model_copy(update={"variables": {**kept.variables, **fixed, "machines": machines}, "owned": (*kept.owned, *ids)})


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    now = (Wanted(str(old.variables["size"]), len(old.variables["machines"])),)
    return changes.stay(old, needs, situation, offer, lambda candidate: _reason(old, needs, situation), machines=now)


def _reason(old: Part, needs: Needs, situation: Situation) -> str:
    if _disk_gib(needs) != old.variables["disk_gib"]:
        return "Azure changes the disk of no machine that runs"
    if gone := [name for name in old.variables["machines"] if name not in _machines(needs, situation.site)]:
        return f"{', '.join(gone)} would go, and a change takes no machine away"
    return ""
