"""The way back from a change: to what stood before it, never to nothing. Planning it is tools.pipeline.going_back's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tools.rules.machines.keeping import where_now
from tools.rules.names.naming import shorten
from tools.values.machine import Machine
from tools.values.manifest import Manifest, Part
from tools.values.snapshot import ClusterSnapshot, Guest
from tools.values.trouble import RequestProblem
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


def led_back(attempted: Manifest, called: str) -> tuple[str, ...]:
    """Labels of the part that is called so, by its label or by one of its machines, and then of all that need it. Raises RequestProblem
    when there is none."""
    word = called.strip().lower()
    known = {part.label: {part.label, part.label.replace("_", " "), *(one.name for one in part.machines)} for part in attempted.parts}
    found = [label for label, names in known.items() if word in names]
    if not found:
        raise RequestProblem(
            "That is no part of the run.",
            f"Nothing of it is called {shorten(called)}. Its parts are {', '.join(known)}.",
            "Say `roll back` and one of these, or `roll back` alone for all of it.",
        )
    for label in found:  # It grows meanwhile.
        found += [part.label for part in attempted.parts if label in part.after and part.label not in found]
    return tuple(found)


def parts_begun(records: Iterable[Mapping[str, Json]], plan_digest: str) -> frozenset[str]:
    """Labels of the parts that Terraform was begun for by this plan, from a run's records in the audit chain."""
    return frozenset(str(one.get("part")) for one in records if (one.get("action"), one.get("plan")) == ("applying", plan_digest))


def way_back(
    before: Manifest,
    attempted: Manifest,
    seen: ClusterSnapshot | None,
    labels: Collection[str] = (),
    gone: Collection[str] = (),
    untouched: Collection[str] = (),
) -> Manifest:
    """What was before `attempted`, as far as it can be again: disks that have grown stay so, and what came with the change goes. `labels`
    are the parts that are led back, where the others stay as they are: of these, those that are `gone` are not made, and those
    that are `untouched` by the attempt are what they were."""
    then, now = ({part.label: part for part in one.parts} for one in (before, attempted))
    back = {*labels} or {*then, *now}
    going = {label: part for label, part in now.items() if label in back and label not in then}
    parts: list[Part] = []
    for label in dict.fromkeys((*then, *now)):
        if label in back and label in then:
            parts.append(_part_before(then[label], now[label], seen) if label in now else then[label])
        elif label in now and label not in back and label not in gone:
            parts.append(_as_it_is((then if label in untouched and label in then else now)[label], seen))
    let_go = {label: tuple(one.label for one in attempted.parts if label in one.after and one.label not in going) for label in going}
    return before.model_copy(
        update={
            "parts": tuple(parts),
            "taken_back": (
                *(part.model_copy(update={"let_go_by": let_go[label]}) for label, part in going.items()),
                *(attempted.taken_back if labels else ()),
            ),
            "parent_digest": attempted.digest,
        }
    )


def _as_it_is(part: Part, seen: ClusterSnapshot | None) -> Part:
    """It owns those of its machines that exist, where they are."""
    if seen is None or not part.machines:
        return part
    guests = {guest.vm_id for guest in seen.guests}
    return where_now(part.model_copy(update={"owned": tuple(str(one.vm_id) for one in part.machines if one.vm_id in guests)}), seen)


def _part_before(before: Part, attempted: Part, seen: ClusterSnapshot | None) -> Part:
    guests = {guest.vm_id: guest for guest in seen.guests} if seen else {}
    part = _as_it_is(before, seen)
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
