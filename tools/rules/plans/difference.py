"""What two manifests differ in, as a person would say it: what is asked for, what each thing is by now, and where it lies. Terraform's own
differences are in tools.rules.plans.changes; words are made in tools.rules.words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.rules.names.text import spell_value
from tools.values.manifest import Manifest, Part, Resource
from tools.values.plan import Estimate
from tools.values.requirements import Field, Origin


@dataclass(frozen=True)
class Turn:
    """One thing that is different. Without a before it is new, without an after it is gone."""

    part: str
    """The part's label; empty: of all parts together."""
    capability: str
    name: str
    """A field's name, `node`, `storage`, `cost`, or the name of a thing that is new, gone or of another size."""
    before: str
    after: str


PLACES = ("node", "storage")
COST = "cost"


def difference(before: Manifest, after: Manifest, costs: tuple[Estimate, Estimate] | None = None) -> tuple[Turn, ...]:
    """Everything that a person would call different, and the cost a month last. Parts are the same by label."""
    old, new = ({part.label: part for part in one.parts} for one in (before, after))
    turns: list[Turn] = []
    for label in dict.fromkeys([*old, *new]):
        if label in old and label in new:
            turns.extend(_of_part(old[label], new[label]))
        else:
            turns.append(Turn(label, "", label, _named(old.get(label)), _named(new.get(label))))
    if costs is not None:
        turns.extend(_of_costs(*costs))
    return tuple(turns)


def _named(part: Part | None) -> str:
    return ", ".join(one.name for one in part.resources[:3]) if part else ""


def _of_part(old: Part, new: Part) -> list[Turn]:
    turns = [*_of_fields(old, new), *(_of_resources(old, new) if not new.machines else ())]  # What a machine is stands in its fields.
    moved = list(_of_places(old, new))
    return [*turns, *(moved if turns or any(one.before != one.after for one in moved) else ())]


def _of_fields(old: Part, new: Part) -> Iterator[Turn]:
    fields = {field.name: field for field in old.needs.fields}
    told = {field.name: field for field in new.needs.fields}
    for name in dict.fromkeys([*told, *fields]):
        if new.machines and name in PLACES:
            continue  # told by where its machines are
        was, now = fields.get(name), told.get(name)
        if _spelt(was) != _spelt(now) and not all(one is None or one.origin is Origin.DEFAULT for one in (was, now)):
            yield Turn(new.label, new.capability, name, _spelt(was), _spelt(now))


def _of_places(old: Part, new: Part) -> Iterator[Turn]:
    """That the node is the same is said too: it is what people ask first. A storage is told where it is another."""
    for place in PLACES:
        before, after = (", ".join(sorted({str(getattr(m, place)) for m in part.machines})) for part in (old, new))
        if before and after and (before != after or place == "node"):
            yield Turn(new.label, new.capability, place, before, after)


def _of_resources(old: Part, new: Part) -> Iterator[Turn]:
    """Things are the same by kind and order: a name may have the environment in it."""
    was, now = _by_kind(old), _by_kind(new)
    for key in dict.fromkeys([*was, *now]):
        before, after = was.get(key), now.get(key)
        if before is None or after is None:
            yield Turn(new.label, new.capability, (after or was[key]).name, _sized(before), _sized(after))
        elif before.size != after.size:
            old_size, new_size = (tuple(size.split(", ")) for size in (before.size, after.size))
            less, more = (", ".join(w for w in one if w not in other) for one, other in ((old_size, new_size), (new_size, old_size)))
            yield Turn(
                new.label,
                new.capability,
                after.name if after.name == before.name else after.kind,
                less or "as before",
                more or f"no {less}",
            )


def _by_kind(part: Part) -> dict[tuple[str, int], Resource]:
    found: dict[tuple[str, int], Resource] = {}
    for one in part.resources:
        number = sum(kind == one.kind for kind, _ in found)
        found[one.kind, number] = one
    return found


def _sized(one: Resource | None) -> str:
    return (one.size or one.kind) if one else ""


def _spelt(field: Field | None) -> str:
    if field is None:
        return ""
    if isinstance(field.value, bool):
        return "yes" if field.value else "no"
    if isinstance(field.value, tuple):
        return ", ".join(f"{one} {field.unit}" if one.isdecimal() and field.unit else one for one in field.value)
    return spell_value(field.value, field.unit) if isinstance(field.value, int | float) else field.value


def _of_costs(before: Estimate, after: Estimate) -> Iterator[Turn]:
    if after.currency and (before.total or 0) != (after.total or 0):
        yield Turn("", "", COST, f"{before.total or 0:,.0f}", f"{after.total or 0:,.0f} {after.currency} a month")
