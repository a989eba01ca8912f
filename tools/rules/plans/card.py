"""What a person must know of a plan before approving it, and no more: a card. Everything else is one word away (`details`, `why`,
`arithmetic`, `resources`). It counts, groups and leaves out; words are made in tools.rules.words, and nothing is decided here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tools.rules.names.naming import shorten
from tools.rules.plans.difference import Turn, difference
from tools.rules.plans.pricing import NOT_PRICED
from tools.values.machine import Machine
from tools.values.manifest import Manifest, Part, Resource
from tools.values.plan import Change, Estimate, Line, Plan, Swing
from tools.values.requirements import Field, Origin
from tools.values.review import Finding, Review, Severity

COST_SHOWN_MIN = 1.0
ASSUMED_MAX = 6
"""Assumptions that a card shows of one part; the rest are counted."""
FEW = 5
"""Things that a cloud makes beside one machine, and that are read as well: its network, its way out, its log."""
ASSUMED_OF_FEW_MAX = 2


@dataclass(frozen=True)
class Alike:
    """Things of one part that differ in nothing but their names and places."""

    names: tuple[str, ...]
    size: str
    kind: str
    machines: tuple[Machine, ...] = ()

    @property
    def nodes(self) -> tuple[tuple[str, int], ...]:
        """(node, how many of the machines), as they were ranked."""
        return tuple(Counter(machine.node for machine in self.machines).items())


@dataclass(frozen=True)
class Assumed:
    """Assumptions that stand on one reason."""

    fields: tuple[Field, ...]
    because: str


@dataclass(frozen=True)
class PartCard:
    part: Part
    things: tuple[Alike, ...]
    assumed: tuple[Assumed, ...]
    assumed_more: int


@dataclass(frozen=True)
class Card:
    parts: tuple[PartCard, ...]
    """None of a removal."""
    turns: tuple[Turn, ...]
    """What is different from the plan before, or from what exists."""
    costs: tuple[tuple[str, float], ...]
    """A month in money, by what it is paid for, the largest first."""
    budget: float
    """The most that all of it may cost a month; 0: none was said."""
    shares: tuple[Line, ...]
    """Of what is not paid in money, how much is taken."""
    savings: tuple[str, ...]
    """What is told where the things are not few."""
    findings: tuple[Finding, ...]
    """Warnings: what is wrong in a lesser way must be seen, and notes can be looked up."""
    lost: tuple[str, ...]
    """Names of what ceases to exist, with what is stored there."""
    restarted: tuple[str, ...]
    not_included: tuple[str, ...]
    """What was asked for and is no part of this plan, in the operator's words."""
    swings: Mapping[tuple[str, str], Swing]
    """By part and field, where the cost depends on it."""
    not_done: tuple[str, ...]
    """What goes with something that is part of it, and is not done either, in Berth's words."""


Before = tuple[Manifest, Estimate]
"""What was planned or built before, and what it cost."""


def card_of(
    plan: Plan,
    manifest: Manifest | None,
    review: Review | None,
    not_included: Iterable[str] = (),
    before: Before | None = None,
    swings: Iterable[Swing] = (),
) -> Card:
    """`manifest` and `review` are the plan's own. A removal is told by what Terraform would remove."""
    not_included = tuple(dict.fromkeys(not_included))
    changes = [change for part in plan.parts for change in part.changes]
    removal = plan.kind == "remove" or manifest is None
    known = {(one.part, one.field): one for one in swings if one.spread >= COST_SHOWN_MIN}
    wished = {shorten(text) for text in not_included}
    turns = difference(before[0], manifest, (before[1], plan.estimate)) if before and manifest and not removal else ()
    return Card(
        parts=() if removal or manifest is None else tuple(_part(part, known) for part in manifest.parts),
        turns=turns,
        costs=_costs(plan.estimate),
        budget=sum({part.needs.number("budget_monthly") for part in manifest.parts}) if manifest else 0.0,
        savings=() if manifest and all(map(_has_few, manifest.parts)) else plan.estimate.savings[:3],
        findings=() if removal or review is None else tuple(f for f in review.findings if f.severity is not Severity.NOTE),
        shares=tuple(line for line in plan.estimate.lines if line.amount is None and line.path != NOT_PRICED),
        lost=_lost(changes, manifest),
        restarted=tuple(dict.fromkeys(change.name for change in changes if change.restarts)),
        swings=known,
        not_included=() if removal else not_included,
        not_done=()
        if removal or manifest is None
        else tuple(dict.fromkeys(one for part in manifest.parts for one in part.needs.not_included if one not in wished)),
    )


def _lost(changes: Iterable[Change], manifest: Manifest | None) -> tuple[str, ...]:
    """What the operator was told of comes first: its name says something to them."""
    told = {thing.name for part in manifest.parts for thing in part.resources} if manifest else set()
    lost = dict.fromkeys(change.name for change in changes if change.action in ("delete", "replace") and not change.act)
    return tuple(sorted(lost, key=lambda name: name not in told))


def _has_few(part: Part) -> bool:
    return part.cloud is not None and len(part.resources) <= FEW


def _part(part: Part, swings: Mapping[tuple[str, str], Swing]) -> PartCard:
    """What was chosen comes before what was estimated, and what the cost depends on most before what it does not."""

    def weight(one: Assumed) -> tuple[bool, float]:
        known = [swings[part.label, field.name].spread for field in one.fields if (part.label, field.name) in swings]
        return one.fields[0].low is not None, -max(known, default=0.0)

    assumed = sorted(_assumed(part.needs.fields), key=weight)
    most = ASSUMED_OF_FEW_MAX if _has_few(part) else ASSUMED_MAX
    return PartCard(part, _alike(part), tuple(assumed[:most]), sum(len(one.fields) for one in assumed[most:]))


def _alike(part: Part) -> tuple[Alike, ...]:
    machines = {machine.name: machine for machine in part.machines}
    groups: dict[tuple[str, str, str], list[Resource]] = {}
    for one in part.resources:
        # What is no machine stands alone: two of one kind are two different things.
        alike = (machines[one.name].group, one.size) if one.name in machines else ("", one.name)
        groups.setdefault((one.kind, *alike), []).append(one)
    return tuple(
        Alike(
            names=tuple(one.name for one in group),
            size=group[0].size,
            kind=group[0].kind,
            machines=tuple(machines[one.name] for one in group if one.name in machines),
        )
        for group in groups.values()
    )


def _assumed(fields: Iterable[Field]) -> tuple[Assumed, ...]:
    """Those that could be otherwise: what a published figure settles to the digit is none."""
    groups: dict[str, list[Field]] = {}
    for field in fields:
        if field.origin is Origin.ASSUMED and (field.low is None or field.low != field.high):
            groups.setdefault(field.because, []).append(field)
    return tuple(Assumed(tuple(group), because) for because, group in groups.items())


def _costs(estimate: Estimate) -> tuple[tuple[str, float], ...]:
    sums: dict[str, float] = {}
    for line in estimate.lines:
        if line.amount:
            sums[line.path] = sums.get(line.path, 0.0) + line.amount
    return tuple((path, amount) for path, amount in sorted(sums.items(), key=lambda one: -one[1]) if amount >= COST_SHOWN_MIN)
