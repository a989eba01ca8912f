"""What a manifest will cost a month. On a Proxmox cluster nothing is paid in money: what it takes of the cluster is told instead.

One reckoning a target; prices of a cloud come in beside `_cluster`, and what has no price says "unpriced", never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tools.rules.machines import capacity, machines
from tools.rules.plans.pricing import price_parts
from tools.values.manifest import Manifest, Part
from tools.values.plan import Estimate, Line
from tools.values.price import Price
from tools.values.requirements import Origin
from tools.values.snapshot import ClusterSnapshot, Snapshot, Target

NO_MONEY = "A cluster of your own has no price a month here: the lines say what share of it is taken."


def estimate(manifest: Manifest, snapshots: Mapping[Target, Snapshot], prices: Sequence[Price] = ()) -> Estimate:
    """Of all parts together. A cloud's parts are paid in money; beside them, a cluster's share is told without a sum."""
    lines: list[Line] = []
    assumptions: list[str] = []
    for part in manifest.parts:
        snapshot = snapshots[part.target]
        if isinstance(snapshot, ClusterSnapshot):
            lines.extend(_cluster(part, snapshot))
            assumptions.append(NO_MONEY)
    clouds = [part for part in manifest.parts if part.target == "azure"]
    if not clouds:
        return Estimate(lines=tuple(lines), assumptions=tuple(dict.fromkeys(assumptions)))
    paid = price_parts(clouds, [str(part.variables["location"]) for part in clouds], prices, _stated(clouds))
    return paid.model_copy(update={"lines": (*paid.lines, *lines), "savings": _savings(clouds)})


def _stated(parts: Iterable[Part]) -> tuple[str, ...]:
    """What the parts assume about their use, as their fields say it."""
    assumed = (f for part in parts for f in part.needs.fields if f.origin is Origin.ASSUMED)
    return tuple(dict.fromkeys(f"{f.name.replace('_', ' ')} {f.value} {f.unit}: {f.because}".strip() for f in assumed))


def _savings(parts: Iterable[Part]) -> tuple[str, ...]:
    """Those that a capability has worked out; it keeps them under `savings` in its facts."""
    return tuple(text for part in parts for text in (part.facts or {}).get("savings", ()))


def _cluster(part: Part, snapshot: ClusterSnapshot) -> Iterator[Line]:
    """Shares of what is online. Of a machine that exists only the growth is new."""
    made = machines.machines_in(part)
    owned = machines.owned_ids(part)
    old = [g for g in snapshot.guests if g.vm_id in owned]
    online = [n for n in snapshot.nodes if n.online]
    names = ", ".join(m.name for m in made[:4]) + (f" and {len(made) - 4} more" if len(made) > 4 else "")
    memory_gib = sum(m.memory_mib for m in made) / 1024 - sum(g.memory_bytes for g in old) / capacity.GIB
    cpu_count = sum(m.cpu_count for m in made) - sum(g.cpu_count for g in old)
    yield _line(f"memory of {names}", memory_gib, "GiB", sum(n.memory_bytes for n in online) / capacity.GIB, "memory")
    yield _line(f"vCPUs of {names}", cpu_count, "vCPU", sum(n.cpu_count for n in online), "processor threads")
    sizes = {g.vm_id: g.disk_bytes / capacity.GIB for g in old}
    for storage in sorted({m.storage for m in made}):
        on_it = [m for m in made if m.storage == storage]
        seen = [s for s in snapshot.storages if s.name == storage and s.active]
        total_bytes = (
            max((s.total_bytes for s in seen), default=0) if any(s.shared for s in seen) else sum(s.total_bytes for s in seen)
        )
        disk_gib = sum(m.disk_gib - sizes.get(m.vm_id, 0) for m in on_it)
        yield _line(f"disks on {storage}", disk_gib, "GiB", total_bytes / capacity.GIB, f"storage {storage}", "storage")


def _line(subject: str, quantity: float, unit: str, whole: float, of: str, path: str = "cluster") -> Line:
    note = f"{quantity / whole:.1%} of the cluster's {of}" if whole else f"the cluster's {of} could not be seen"
    return Line(subject=subject, path=path, quantity=round(quantity, 2), unit=unit, amount=None, note=note)
