"""The way back from a change: to what stood before it, never to nothing. Planning it is tools.pipeline.going_back's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tools.rules.machines.keeping import where_now
from tools.values.machine import Machine
from tools.values.manifest import Manifest, Part
from tools.values.snapshot import ClusterSnapshot, Guest
from tools.values.value import Json

DISKS = ("disk_gib", "data_disks_gib")
"""How the fields end that say how large disks are, of all machines or of one group."""


def plan_before(records: Iterable[Mapping[str, Json]]) -> str:
    """The digest of the plan that a run was last done with, from its records in the audit chain; empty when it never was. A run that was
    left as it stood counts as done."""
    begun = lasting = ""
    for record in records:
        if record.get("action") == "begun":
            begun = str(record.get("plan"))
        elif record.get("action") in ("ended", "set") and record.get("status") == "done":
            lasting = begun
    return lasting


def way_back(before: Manifest, attempted: Manifest, seen: ClusterSnapshot | None) -> Manifest:
    """What was before `attempted`, as far as it can be again: disks that have grown stay so, and what came with the change goes."""
    now = {part.label: part for part in attempted.parts}
    labels = {part.label for part in before.parts}
    return before.model_copy(
        update={
            "parts": tuple(_part_before(part, now[part.label], seen) if part.label in now else part for part in before.parts),
            "taken_back": tuple(part for part in attempted.parts if part.label not in labels),
            "parent_digest": attempted.digest,
        }
    )


def _part_before(before: Part, attempted: Part, seen: ClusterSnapshot | None) -> Part:
    guests = {guest.vm_id: guest for guest in seen.guests} if seen else {}
    there = tuple(str(one.vm_id) for one in before.machines if one.vm_id in guests)
    part = where_now(before.model_copy(update={"owned": there}), seen) if before.machines and seen else before
    larger = {one.name: one for one in attempted.machines}
    pairs = [(one, larger[one.name]) for one in before.machines if one.name in larger]
    if not any(_has_grown(one, guests.get(one.vm_id)) for one, _ in pairs):
        return part
    disks = {one.name: {"disk_gib": new.disk_gib, "data_disks": new.data_disks} for one, new in pairs}
    kept = {field.name: field for field in attempted.needs.fields if field.name.endswith(DISKS)}
    fields = tuple(kept.pop(field.name, field) for field in before.needs.fields)
    return part.model_copy(
        update={
            "machines": tuple(one.model_copy(update=disks.get(one.name, {})) for one in part.machines),
            "needs": before.needs.model_copy(update={"fields": (*fields, *kept.values())}),
        }
    )


def _has_grown(machine: Machine, guest: Guest | None) -> bool:
    """A disk that grew cannot shrink, and one that was added may hold something by now."""
    if guest is None:
        return False
    there = dict(guest.data_disks_gib)
    wanted = {disk.interface: disk.disk_gib for disk in machine.data_disks}
    more = any(size_gib > wanted.get(interface, 0) for interface, size_gib in there.items())
    return more or guest.disk_bytes > machine.disk_gib * 2**30
