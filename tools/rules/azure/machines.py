"""Machines in Azure, whatever runs on them: offers sizes that have what was asked for, by price and quota; composes the picked one; says
what changes in place. What is understood is in tools.rules.azure.machine_facts, what is checked in tools.rules.azure.machine_checks."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.azure import changes, placing
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.checks import cloud_of
from tools.rules.azure.images import Image, find
from tools.rules.azure.machine_facts import KEYS
from tools.rules.azure.placing import for_operator
from tools.rules.azure.sizes import Claim, Size
from tools.rules.names import naming
from tools.rules.names import regions as azure_regions
from tools.rules.plans import pricing
from tools.rules.request.choosing import candidate_of
from tools.rules.request.ports import all_ports
from tools.values.machine import AnyMachine, DataDisk
from tools.values.manifest import Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Needs, Origin
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.value import Json

MODULE = "azure_machines"
KINDS = ("network", "nsg", "nat_gateway", "public_ip", "logs", "action_group")
MACHINE = "Microsoft.Compute/virtualMachines"
SIZES_MAX = 3
HOURS = 730.0
SUBNET_PREFIX = 26
"""Azure keeps five addresses of a subnet to itself; 59 are left."""
USER = "berth"
"""As in the module."""
DISKS = {"Premium_LRS": "P", "StandardSSD_LRS": "E"}
TIERS_GIB = {1: 4, 2: 8, 3: 16, 4: 32, 6: 64, 10: 128, 15: 256, 20: 512, 30: 1024, 40: 2048, 50: 4096, 60: 8192, 70: 16384, 80: 32767}
"""(tier, largest GiB) that a managed disk is charged as. infracost, internal/resources/azure/managed_disk.go @51337c6."""
SYSTEM_DISK_GIB_MAX, DATA_DISK_GIB_MAX = 4095, max(TIERS_GIB.values())
"""learn.microsoft.com, "Introduction to Azure managed disks", from memory; and the largest tier."""
ALERTS = 2
"""Of each machine, in terraform/azure_machines."""
SSH, FIGURES = "22", "9100"
"""Of those that are set up; node_exporter's own."""


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen, region = situation.subscription, needs.text("region")
    if no := placing.no_region(needs, seen):
        return no
    if no := _too_large(needs):
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


def _too_large(needs: Needs) -> PartOffer | None:
    if (disk_gib := _disk_gib(needs)) > SYSTEM_DISK_GIB_MAX:
        most = f"a system disk in Azure has at most {SYSTEM_DISK_GIB_MAX:,} GiB"
        return placing.nothing(needs, f"{disk_gib:,} GiB", most, "Ask for a smaller disk, and for a data disk beside it.")
    if large := next((one for one in map(int, needs.strings("data_disks_gib")) if one > DATA_DISK_GIB_MAX), 0):
        most = f"a disk in Azure has at most {DATA_DISK_GIB_MAX:,} GiB"
        return placing.nothing(needs, f"{large:,} GiB", most, "Ask for several data disks.")
    return None


def _counter_offer(any_fits: bool, told: str) -> str:
    if any_fits:
        return "Ask for less, for more quota in the portal (Quotas), or say another region."
    return f"It would fit with at most {told}, the largest size that Berth has figures of."


def disks_max(size: Size) -> int:
    """Beside the system's: two a vCPU, and 32 at most, as the pages of the D and E series of version 5 list them."""
    return min(32, 2 * size.cpu_count)


def _carries(size: Size, needs: Needs) -> bool:
    current = not size.retired and not size.gpu_count and len(needs.strings("data_disks_gib")) <= disks_max(size)
    return current and size.cpu_count >= needs.whole("cpu_count") and size.memory_gib * 1024 >= needs.whole("memory_mib")


def _price(size: Size, region: str, situation: Situation) -> tuple[bool, float, int, float, str]:
    """The cheaper first, and what has no price last."""
    rows = pricing.rows_of(f"vm.{size.name}", region, situation.prices)
    return not rows, rows[0].price if rows else 0.0, size.cpu_count, size.memory_gib, size.name


def _shut(size: Size, needs: Needs, situation: Situation) -> str:
    region, seen = needs.text("region"), situation.subscription
    if problem := azure_sizes.sku_problem(size.name, seen, region):
        return problem
    sums = azure_sizes.quota_sums((Claim(size.name, needs.whole("count")),), seen, region)
    return next((f"the quota does not carry it: {one.spelt}" for one in sums if not one.holds), "")


def _candidate(size: Size, rank: int, needs: Needs, situation: Situation) -> Candidate:
    count, region = needs.whole("count"), needs.text("region")
    sums = azure_sizes.quota_sums((Claim(size.name, count),), situation.subscription, region)
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


def part_of(
    needs: Needs, offer: PartOffer, pick: Pick, situation: Situation, *, set_up: bool = False, served: tuple[str, ...] = ()
) -> Part:
    """The part with its machines, for a service to add what runs on them. `set_up`: they are, over SSH; `served` are the ports that what
    runs there is asked at."""
    candidate = candidate_of(offer, pick)
    size = azure_sizes.sizes()[str(dict(candidate.choice)["size"])]
    names = placing.names_of(needs, situation, *KINDS)
    called = dict(names)
    spread = needs.text("environment") == "production"
    zones = azure_sizes.zones(size.name, situation.subscription, needs.text("region")) if spread else ()
    group, machines = called["resource_group"], _machines(needs, situation.site, zones)
    keys = tuple(key for key in needs.strings("public_keys") if key.split(" ")[0] in KEYS)
    ports = tuple(_ports(needs, (*served, FIGURES) if set_up else served))
    image = image_of(needs)
    az = ("az", "vm")
    first = ("--resource-group", group, "--name", next(iter(machines)))
    part = placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        module=MODULE,
        names=names,
        resources=_resources(needs, called, size, machines, ports, _disk_gib(needs)),
        variables={
            "machines": machines,
            "address_space": placing.address_space(needs, situation, group, SUBNET_PREFIX),
            "hub_id": placing.joined(needs, situation.site)["hub_id"],
            "ports": list(ports),
            "size": size.name,
            "marketplace_image": image.reference,
            "disk_gib": _disk_gib(needs),
            "disk_type": _disk_type(needs),
            "data_disks_gib": list(map(int, needs.strings("data_disks_gib"))),
            "public_keys": list(keys),
            "alert_email": needs.text("alert_email"),
        },
        commands=(
            for_operator("See the machines and their state", *az, "list", "--resource-group", group, "--show-details", "--output", "table"),
            for_operator(
                "Run a line on the first one, without a way into its network",
                *(*az, "run-command", "invoke", *first, "--command-id", "RunShellScript", "--scripts", "uptime"),
            ),
            for_operator("Read how it started", *az, "boot-diagnostics", "get-boot-log", *first),
        ),
        facts=(("size", size.name), ("group", group), ("system", image.spoken)),
        savings=("A machine that is deallocated (`az vm deallocate`) costs its disk alone.",),
    )
    return part if not set_up else with_machines(part, size, keys)


def with_machines(part: Part, size: Size, keys: tuple[str, ...]) -> Part:
    """With its machines as whatever is set up on them knows them."""
    disks = tuple(DataDisk(interface=f"lun{n}", disk_gib=disk_gib) for n, disk_gib in enumerate(part.variables["data_disks_gib"]))
    made = tuple(
        AnyMachine(
            name=name,
            disk_gib=part.variables["disk_gib"],
            data_disks=disks,
            cpu_count=size.cpu_count,
            memory_mib=int(size.memory_gib * 1024),
            user_name=USER,
            public_keys=keys,
        )
        for name in part.variables["machines"]
    )
    return part.model_copy(update={"cloud": cloud_of(part).model_copy(update={"machines": made})})


def image_of(needs: Needs) -> Image:
    image = find(needs.text("os"), needs.text("os_version"))
    assert image is not None, "what is understood has an image"
    return image


def _machines(needs: Needs, site: Site, zones: tuple[str, ...] = ()) -> dict[str, Json]:
    """By name, each with its zone: they are spread over those."""
    count, said = needs.whole("count"), naming.listed(needs.text("name"))
    first = said[0] if said else site.name_pattern.format(workload=needs.text("workload"), number=1)
    called = said if len(said) == count else naming.numbered(first, count)
    return {name: {"zone": zones[number % len(zones)] if zones else ""} for number, name in enumerate(called)}


def _ports(needs: Needs, served: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """SSH and what is served come in wherever nothing narrower is said of them."""
    said = all_ports(needs.strings("ports"))
    own = (one for one in all_ports((SSH, *served)) if not any(other.holds(one) for other in said))
    for one in dict.fromkeys((*own, *said)):
        for source in one.sources or ("VirtualNetwork",):
            yield {"port": one.span, "protocol": one.protocol, "source": source}


def _disk_gib(needs: Needs) -> int:
    return max(needs.whole("disk_gib"), image_of(needs).disk_gib)


def _disk_type(needs: Needs) -> str:
    return "Premium_LRS" if needs.text("environment") == "production" else "StandardSSD_LRS"


def _resources(
    needs: Needs,
    names: dict[str, str],
    size: Size,
    machines: dict[str, Json],
    ports: tuple[dict[str, str], ...],
    disk_gib: int,
) -> tuple[Resource, ...]:
    made = placing.resources_in(needs, names["resource_group"])
    kind, logs = _disk_type(needs), needs.whole("log_gb")
    further_gib = [int(one) for one in needs.strings("data_disks_gib")]
    more = "".join(f" + {one} GiB" for one in further_gib)
    doors = f"port{'s' if len(ports) > 1 else ''} {', '.join(one['port'] for one in ports)}"
    return (
        made(names["resource_group"], "resource group", "", "So that it goes together."),
        *(
            made(
                name,
                "virtual machine",
                f"{size.name}: {size.cpu_count} vCPU, {size.memory_gib:g} GiB, {disk_gib} GiB disk{more}",
                f"{image_of(needs).spoken}, Trusted Launch, keys and no password, no public address.",
                (f"vm.{size.name}", HOURS),
                *((f"disk.{DISKS[kind]}{_tier(one)}", 1.0) for one in (disk_gib, *further_gib)),
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
        made(
            names["logs"],
            "Log Analytics workspace",
            f"{logs} GB a month",
            "Metrics of the machines, and alerts: whether each is there, and its processors.",
            *placing.log_meters(logs),
            ("alert.metric", float(ALERTS * len(machines))),
        ),
    )


def _tier(disk_gib: int) -> int:
    return next(number for number, size_gib in TIERS_GIB.items() if size_gib >= disk_gib)


def keep(old: Part, new: Part) -> Part:
    """With what Azure changes of no machine that exists: zone, keys, image, kind of disk; and the addresses of its network."""
    called, size = dict(cloud_of(new).names), azure_sizes.sizes()[str(new.variables["size"])]
    told = _resources(new.needs, called, size, new.variables["machines"], tuple(new.variables["ports"]), old.variables["disk_gib"])
    kept = changes.keep(old, new.model_copy(update={"resources": told}))
    machines = {
        **new.variables["machines"],
        **{name: one for name, one in old.variables["machines"].items() if name in new.variables["machines"]},
    }
    fixed = {name: old.variables[name] for name in ("address_space", "public_keys", "marketplace_image", "disk_gib", "disk_type")}
    group = kept.owned[0]
    ids = tuple(f"{group}/providers/{MACHINE}/{name}" for name in old.variables["machines"])
    fixed_of_each = {"public_keys": tuple(old.variables["public_keys"]), "disk_gib": old.variables["disk_gib"]}
    reached = tuple(one.model_copy(update=fixed_of_each) for one in cloud_of(kept).machines) if old.every_machine else ()
    return kept.model_copy(
        update={
            "variables": {**kept.variables, **fixed, "machines": machines},
            "owned": (*kept.owned, *ids),
            "cloud": cloud_of(kept).model_copy(update={"machines": reached}),
        }
    )


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    now = (Claim(str(old.variables["size"]), len(old.variables["machines"])),)
    return changes.stay(old, needs, situation, offer, lambda candidate: _reason(old, needs, situation), machines=now)


def _reason(old: Part, needs: Needs, situation: Situation) -> str:
    disk, has_gib = needs.field("disk_gib"), int(old.variables["disk_gib"])
    if disk is not None and (_disk_gib(needs) != has_gib if disk.origin is Origin.SAID else (disk.low or 0) > has_gib):
        return "Azure changes the disk of no machine that runs"
    if image_of(needs).reference != old.variables["marketplace_image"]:
        return "Azure gives no machine that exists another system"
    before, after = old.variables.get("data_disks_gib", []), list(map(int, needs.strings("data_disks_gib")))
    if after[: len(before)] != before:
        return "disks are added to a machine that exists, and neither taken away nor changed"
    if gone := [name for name in old.variables["machines"] if name not in _machines(needs, situation.site)]:
        return f"{', '.join(gone)} would go, and a change takes no machine away"
    return ""
