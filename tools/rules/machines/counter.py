"""What would fit when nothing does: the smallest change of the request, and the one setting of the site that binds, each found and verified
by running the placement rules with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from tools.rules.machines import networks, placement, places, templates
from tools.rules.machines.capacity import MIB, Room, counts, guests
from tools.rules.machines.losing import proved
from tools.rules.machines.networks import Wish
from tools.rules.machines.places import Demand, Place
from tools.rules.names import naming
from tools.rules.names.text import spell_memory
from tools.values.snapshot import Guest

MEMORY_STEP_MIB = 256
MEMORY_LEAST_MIB = 512
STOPPED_NAMED_MAX = 3


RATIO_STEP = 0.05
RATIO_MOST = {"memory_ratio_max": 1.0, "cpu_ratio_max": 2.0, "storage_ratio_max": 1.0}
"""Of a limit of the site: a node that is promised to the brim still starts its guests. Processors may be promised more than once, but to
production: who finds none free waits for a moment (Proxmox VE Administration Guide, `qm_cpu`: more cores in all guests together than in
the node are safe)."""


def counter_offer(demand: Demand, room: Room) -> str:
    """Whole sentences; empty when no single change helps."""
    return " ".join(filter(None, (_changed_request(demand, Trial(room)), _changed_setting(demand, room))))


def _changed_request(demand: Demand, trial: Trial) -> str:
    for changes in (_corrected_words, _less, _freed):
        for wording, changed in changes(demand, trial):
            if trial.fits(changed):
                return f"It would fit {wording}."
    return ""


def _changed_setting(demand: Demand, room: Room) -> str:
    """The smallest change of one setting of the environment, and whom it is about."""
    environment = room.environment
    policy = environment.counts_stopped
    off = (g for g in guests(room.snapshot, room.own_vm_ids) if not g.running and counts(g, policy))
    stopped = sorted(off, key=lambda g: -g.memory_bytes)
    where = f"for {environment.name} in the site file"
    if stopped and Trial(_under(room, "stopped_guests", "leave_out")).fits(demand):
        do = "does not run, and counts" if len(stopped) == 1 else "do not run, and count"
        return f"It would also fit with `stopped_guests: leave_out` {where}: {_named(stopped)} {do}."
    if proved(room) and Trial(_under(room, "node_loss", "tell")).fits(demand):
        return f"It would also fit with `node_loss: tell` {where}: then nobody could take over when a node is lost."
    for name, most in RATIO_MOST.items():
        most = min(most, 1.0) if environment.name == "production" else most
        now: float = getattr(environment, name)
        for step in range(math.floor(now / RATIO_STEP + 1e-9) + 1, round(most / RATIO_STEP) + 1):
            ratio = round(step * RATIO_STEP, 2)
            if Trial(_under(room, name, ratio)).fits(demand):
                return f"It would also fit with `{name}: {ratio:g}` {where}, instead of {now:g}."
    return ""


def _under(room: Room, name: str, value: str | float) -> Room:
    """The same cluster where the site says otherwise."""
    environment = room.environment.model_copy(update={name: value})
    return Room.of(room.snapshot, environment, room.reserved, room.own_vm_ids).after(room.taken)


def _named(stopped: Sequence[Guest]) -> str:
    told = [f"VM {g.vm_id} {g.name} ({spell_memory(g.memory_bytes / MIB)})" for g in stopped[:STOPPED_NAMED_MAX]]
    rest = len(stopped) - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")


class Trial:
    """Runs the placement rules with changed demands. Places are looked for once for all sizes of the same request."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._places: dict[Demand, tuple[Place, ...]] = {}

    def fits(self, demand: Demand) -> bool:
        return bool(placement.fill(demand, self._places_of(demand), self.room))

    def _places_of(self, demand: Demand) -> tuple[Place, ...]:
        # Only a disk that was said can rule out a template; no other size changes where a machine may go at all.
        alike = replace(demand, count=1, cpu_count=1, memory_mib=1, disk_gib=demand.disk_gib if demand.disk_said else 1)
        if alike not in self._places:
            self._places[alike], _ = places.places(demand, self.room.snapshot)
        return self._places[alike]


def _corrected_words(demand: Demand, trial: Trial) -> list[tuple[str, Demand]]:
    """Names that were probably meant."""
    snapshot = trial.room.snapshot
    changes: list[tuple[str, Demand]] = []
    if isinstance(networks.find(snapshot, demand.wish), str):
        for name in _meant(demand.wish.name, [n.name for n in snapshot.networks]):
            changes.append((f"on network {name}", replace(demand, wish=Wish(name))))
    if demand.node and snapshot.node(demand.node) is None:
        for name in _meant(demand.node, [n.name for n in snapshot.nodes]):
            changes.append((f"on node {name}", replace(demand, node=name)))
    if not templates.offered(snapshot, demand.os):
        for name in _meant(demand.os, templates.known(snapshot)):
            changes.append((f"with {name}", replace(demand, os=name)))
    for disk_gib in sorted({t.disk_gib for t in snapshot.templates if demand.disk_said and t.disk_gib > demand.disk_gib}):
        changes.append((f"with a disk of {disk_gib} GiB instead of {demand.disk_gib} GiB", replace(demand, disk_gib=disk_gib)))
    storages = sorted({s.name for s in snapshot.storages})
    if demand.storage and demand.storage.lower() not in map(str.lower, storages):
        for name in _meant(demand.storage, storages):
            changes.append((f"on storage {name}", replace(demand, storage=name)))
    return changes


def _meant(word: str, words: list[str]) -> list[str]:
    """One or none: a name that only happens to fit is no suggestion, and the refusal lists them all."""
    meant = naming.nearest(word, words)
    return [meant] if meant else []


def _less(demand: Demand, trial: Trial) -> list[tuple[str, Demand]]:
    """Less of one thing, the smallest loss first."""
    losses: list[tuple[float, str, Demand]] = []

    def consider(most: int, least: int, step: int, change: Callable[[int], Demand], wording: Callable[[int], str]) -> None:
        value = largest(most - 1, least, step, lambda v: trial.fits(change(v)))
        if value:
            losses.append((1 - value / most, wording(value), change(value)))

    consider(
        demand.memory_mib,
        MEMORY_LEAST_MIB,
        MEMORY_STEP_MIB,
        lambda v: replace(demand, memory_mib=v),
        lambda v: f"with {spell_memory(v)} of memory instead of {spell_memory(demand.memory_mib)}",
    )
    consider(
        demand.cpu_count,
        1,
        1,
        lambda v: replace(demand, cpu_count=v),
        lambda v: f"with {v} vCPU instead of {demand.cpu_count}",
    )
    consider(
        demand.disk_gib,
        1,
        1,
        lambda v: replace(demand, disk_gib=v),
        lambda v: f"with a disk of {v} GiB instead of {demand.disk_gib} GiB",
    )
    consider(
        demand.count,
        1,
        1,
        lambda v: replace(demand, count=v),
        lambda v: f"with {v} machine{'s' if v > 1 else ''} instead of {demand.count}",
    )
    losses.sort(key=lambda loss: loss[0])
    both = _both(demand, trial)
    return [(wording, changed) for _, wording, changed in losses] + both


def _both(demand: Demand, trial: Trial) -> list[tuple[str, Demand]]:
    """Fewer vCPUs and less memory together, when neither alone is enough: as much of the one as goes, then of the other; the smaller
    loss."""

    def cpus(start: Demand) -> Demand | None:
        found = largest(demand.cpu_count, 1, 1, lambda v: trial.fits(replace(start, cpu_count=v)))
        return replace(start, cpu_count=found) if found else None

    def memory(start: Demand) -> Demand | None:
        found = largest(demand.memory_mib, MEMORY_LEAST_MIB, MEMORY_STEP_MIB, lambda v: trial.fits(replace(start, memory_mib=v)))
        return replace(start, memory_mib=found) if found else None

    least = replace(demand, cpu_count=1, memory_mib=min(demand.memory_mib, MEMORY_LEAST_MIB))
    ways = ((cpus, memory), (memory, cpus))
    changed = [second(half) for first, second in ways if (half := first(least)) is not None]
    best = min(
        (c for c in changed if c is not None),
        key=lambda c: 2 - c.cpu_count / demand.cpu_count - c.memory_mib / demand.memory_mib,
        default=None,
    )
    if best is None:
        return []
    wording = (
        f"with {best.cpu_count} vCPU and {spell_memory(best.memory_mib)} of memory "
        f"instead of {demand.cpu_count} and {spell_memory(demand.memory_mib)}"
    )
    return [(wording, best)]


def _freed(demand: Demand, trial: Trial) -> list[tuple[str, Demand]]:
    changes = []
    if demand.node:
        changes.append((f"on another node than {demand.node}", replace(demand, node="")))
    if demand.storage:
        changes.append((f"on another storage than {demand.storage}", replace(demand, storage="")))
    if demand.node and demand.storage:
        changes.append(("on another node and storage", replace(demand, node="", storage="")))
    return changes


def largest(most: int, least: int, step: int, good: Callable[[int], bool]) -> int:
    """The largest multiple of `step` from `least` to `most` that is good, by halving; 0 when none is."""
    low, high = -(-least // step), most // step
    if high < low or not good(low * step):
        return 0
    while low < high:
        middle = (low + high + 1) // 2
        if good(middle * step):
            low = middle
        else:
            high = middle - 1
    return low * step
