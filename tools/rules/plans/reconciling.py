"""Holds what platforms' own logs say was changed against the runs that were approved. Pure: both are handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from tools.rules.plans.spending import belongs, groups
from tools.values.act import Act, Carried, Unapproved
from tools.values.manifest import Manifest
from tools.values.value import Json, canonical

_IN_GROUP = re.compile(r"/subscriptions/([^/\"\\]+)/resourceGroups/([^/\"\\]+)", re.IGNORECASE)
"""Of what a part names in the cloud without making it: a network that it is peered with, a security group whose rules it adds to."""
LEEWAY = timedelta(minutes=2)
"""Two machines' clocks, and what a platform begins a little before it says so."""


def unapproved(acts: Iterable[Act], runs: Iterable[Carried], whole: bool = True) -> tuple[Unapproved, ...]:
    """The latest last. `whole`: all runs are there. Otherwise only what was done to what these made is told: what Berth did besides may be
    another's run."""
    carried = tuple(runs)
    found = (_judged(act, carried) for act in sorted(acts, key=lambda one: one.at))
    return tuple(one for one in found if one and (whole or one.run_id))


def _judged(act: Act, runs: tuple[Carried, ...]) -> Unapproved | None:
    owner = next((run for run in reversed(runs) if _names(run.things, act.thing) and _stood(run, act.at)), None)
    run_id = owner.run_id if owner else ""
    at_work = [run for run in runs if any(_within(span, act.at) for span in run.spans)]
    named = [run for run in at_work if not act.thing or _names(run.things | run.uses, act.thing)]
    if act.is_ours is False or (act.is_ours is None and not named):
        return Unapproved(act=act, run_id=run_id, why="others") if owner else None
    if named:
        return None
    return Unapproved(act=act, run_id=run_id, why="unnamed" if at_work else "outside")


def _names(things: frozenset[str], thing: str) -> bool:
    subscription, slash, group = thing.partition("/")
    if not slash:
        return thing in things
    return any(belongs(group, one.partition("/")[2]) for one in things if one.startswith(f"{subscription}/"))


def _stood(run: Carried, at: datetime) -> bool:
    """What a run made was its own by then: an id is given again when it is free."""
    if not run.spans or at < run.spans[0][0] - LEEWAY:
        return False
    end = run.spans[-1][1]
    return not run.removed or end is None or at <= end + LEEWAY


def _within(span: tuple[datetime, datetime | None], at: datetime) -> bool:
    begun, ended = span
    return begun - LEEWAY <= at and (ended is None or at <= ended + LEEWAY)


def carried(run_id: str, manifests: Iterable[Manifest], records: Iterable[Mapping[str, Json]], removed: bool) -> Carried:
    """`manifests`: of every plan that it was carried out under. `records`: what the audit says of it, oldest first."""
    manifests = tuple(manifests)
    machines = [machine for one in manifests for part in one.parts for machine in part.machines]
    things = {str(machine.vm_id) for machine in machines}
    things |= {f"{subscription.lower()}/{group}" for one in manifests for subscription, group in groups(one)}
    uses = {str(machine.template_vm_id) for machine in machines}
    named = (_IN_GROUP.findall(canonical(part.said()).decode()) for one in manifests for part in one.parts if part.cloud)
    uses |= {f"{subscription}/{group}".lower() for found in named for subscription, group in found}
    return Carried(run_id=run_id, things=frozenset(things), uses=frozenset(uses), spans=tuple(_spans(records)), removed=removed)


def _spans(records: Iterable[Mapping[str, Json]]) -> Iterator[tuple[datetime, datetime | None]]:
    begun: datetime | None = None
    for record in records:
        at = datetime.fromisoformat(str(record["at"]))
        if record["action"] in ("begun", "retried"):
            begun = begun or at
        elif record["action"] == "ended" and begun:
            yield begun, at
            begun = None
    if begun:
        yield begun, None
