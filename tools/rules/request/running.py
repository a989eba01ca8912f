"""What runs already, as items that a request may copy: a machine of ours by its name, or one that a scan has seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tools.rules.names.text import spell_memory
from tools.values.manifest import Part
from tools.values.request import Fact, Item
from tools.values.requirements import Field, Needs, Origin
from tools.values.snapshot import ClusterSnapshot
from tools.values.wanted import Listed

SIZES = {"memory_mib": "memory", "disk_gib": "disk"}
"""What a field of a size is called among the facts."""
CALLED = SIZES | {"concurrent_users": "users", "data_mib": "data_size", "data_gib": "data_size", "stored_gb": "stored_volume"}
"""What fields are called among the facts, where it is otherwise."""
ONE_EACH = ("count", "address")
"""Facts of a part that are none of a copy of one of its machines."""


def made_by_us(part: Part, catalogue: Mapping[str, Listed]) -> Iterator[tuple[str, Item]]:
    """(name, item) of every machine of a part, of what else it made under a name, and by its label: with what was said of it, so that the
    rest follows from that again."""
    wanted = {one.name for one in catalogue[part.capability].WANTED} - {*ONE_EACH} if part.capability in catalogue else set()
    said = {f.name: f for f in part.needs.fields if f.origin is Origin.SAID and not isinstance(f.value, tuple)}
    named = {_fact_of(name): _as_said(one) for name, one in said.items()}
    facts = {name: value for name, value in named.items() if name in wanted}
    for machine in part.machines:
        yield machine.name, _item(part, facts | {"name": machine.name})
    for name in dict.fromkeys((part.label, *(name for _, name in (part.cloud.names if part.cloud else ())))):
        yield name, _item(part, {name: value for name, value in facts.items() if name != "name"})


def _fact_of(field: str) -> str:
    """Of all machines, or of one group: `workers_memory_mib` was said as `workers_memory`."""
    return next((field.removesuffix(name) + fact for name, fact in CALLED.items() if field.endswith(name)), field)


def seen_running(snapshot: ClusterSnapshot, capability: str) -> Iterator[tuple[str, Item]]:
    """(name, item) of every machine of the cluster, whoever made it."""
    for guest in snapshot.guests:
        sizes = {
            "cpu_count": str(guest.cpu_count),
            "memory": f"{guest.memory_bytes // 2**20} MiB",
            "disk": f"{guest.disk_bytes // 2**30} GiB",
        }
        facts = {"name": guest.name} | {name: size for name, size in sizes.items() if not size.startswith("0")}
        yield guest.name, Item(capability=capability, label=capability, facts=_facts(facts))


def sizes_made(part: Part) -> dict[str, str]:
    """How large its machines are, by fact; of machines of several kinds those of each."""
    sizes: dict[str, str] = {}
    for group in part.groups:
        machine = part.of_group(group)[0]
        lead = f"{group}_" if group else ""
        sizes |= {f"{lead}cpu_count": str(machine.cpu_count), f"{lead}memory": spell_memory(machine.memory_mib)}
        sizes[f"{lead}disk"] = f"{machine.disk_gib} GiB"
    return sizes


def sizes_needed(needs: Needs) -> dict[str, str]:
    """As they are planned: said, or assumed."""
    ours = [field for field in needs.fields if field.name.endswith(("cpu_count", *SIZES)) and isinstance(field.value, int | float)]
    return {_fact_of(field.name): _as_said(field) for field in ours}


def _item(part: Part, facts: Mapping[str, str]) -> Item:
    return Item(capability=part.capability, label=part.label, facts=_facts(facts))


def _facts(by_name: Mapping[str, str]) -> tuple[Fact, ...]:
    return tuple(Fact(name=name, value=value, quote="") for name, value in by_name.items())


def _as_said(field: Field) -> str:
    if isinstance(field.value, bool):
        return "yes" if field.value else "no"
    return f"{field.value} {field.unit}".strip() if field.unit in ("MiB", "GiB", "TiB", "GB") else str(field.value)
