"""Tells monitoring machines what to watch: a list of targets for each part, put there when the part is configured and taken away when it is
removed. Which monitoring watches what is decided in tools.rules.machines.watching.

A monitoring that is away stops no run: what it was not told is told by `berth watch`, which compares what stands there with the ledger.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from tools.clients.ssh import config_file
from tools.clients.watcher import Watcher
from tools.pipeline.drafting import STANDING, WATCHES
from tools.pipeline.steps import Work, machines_of
from tools.pipeline.world import World
from tools.rules.machines.watching import targets
from tools.values.manifest import Part
from tools.values.run import MachineReceipt
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json, Named
from tools.values.watched import list_name

TARGETS = "/etc/prometheus/targets"
"""Of the role `monitoring`."""
LOOKS_MAX = 10
LOOK_SECONDS = 2.0
"""Prometheus asks each target within 15 s of hearing of it."""


def watch_step(work: Work) -> Json:
    """What became of it: {watched, not_watched}, sentences."""
    part, world = work.part, work.world
    if part.watches:
        own = [(work.run_id, one) for one in work.kept.manifest.parts]
        told = [_tried(_tell_all(world, machine.name, part.takes_over, own)) for machine in part.machines]
    elif _waits_for_monitoring(work):
        # What it then says is of its own part: nothing of this one was verified yet.
        work.say(f"{part.label} is watched as soon as {' and '.join(part.watched_by)} can be told of it.")
        told = []
    else:
        text = targets(work.run_id, part, machines_of(work.results))
        told = [_tried(_put(world, work, name, text)) for name in part.watched_by]
    said = {"watched": [line for done, _ in told for line in done], "not_watched": [line for _, owed in told for line in owed]}
    for line in (*said["watched"], *said["not_watched"]):
        work.say(line)
    return said


def unwatch_step(work: Work) -> Json:
    """Before the part is removed. A monitoring that goes with it is told nothing."""
    world, listed = work.world, list_name(work.run_id, work.part.label)
    going = work.kept.manifest.taken_back or work.kept.manifest.parts
    gone = {machine.name for part in going if part.watches for machine in part.machines}
    for name in _told_of(world, work.part, listed):
        for line in chain(*_tried(_drop(world, name, listed))) if name not in gone else ():
            work.say(line)
    return {}


def catch_up(world: World) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """(machine of a monitoring, what it was told, why it was not): `berth watch`. Compares what stands there with the ledger."""
    runs = world.ledger.plans.standing(STANDING, WATCHES)
    monitors = [(m.name, part.takes_over) for _, made in runs for part in made.parts if part.watches for m in part.machines]
    own: list[tuple[str, Named]] = [(world.site.monitoring.host, ())] if world.site.monitoring.host else []
    for name, takes_over in (*monitors, *own):
        told, owed = _tried(_tell_all(world, name, takes_over, ()))
        yield name, tuple(told), tuple(owed)


def _tell_all(world: World, name: str, takes_over: Named, own: Sequence[tuple[str, Part]]) -> Iterator[str]:
    """A machine of a monitoring is told of all that it watches, `own` being its own run's, and what it was told of runs that are gone is
    taken away."""
    watcher = watcher_of(world, name, own)
    runs = {run for run, _ in own}
    standing = [(run, one) for run, made in world.ledger.plans.standing(STANDING) if run not in runs for one in made.parts]
    named = {list_name(run, part.label): (run, part) for run, part in (*own, *standing)}
    wanted = {listed: one for listed, one in named.items() if name in one[1].watched_by or listed in dict(takes_over)}
    for listed, (run, part) in wanted.items():
        machines = machines_of(world.ledger.runs.results(run, part.label))
        if machines and watcher.put(listed, targets(run, part, machines)):
            yield f"{name} watches {_spoken(machines)} from now on."
    for listed in watcher.lists():
        if listed not in wanted and _is_gone(world, listed) and watcher.drop(listed):
            yield f"{name} watches nothing of {listed.removesuffix('.json')} any more: it was removed."


def _put(world: World, work: Work, name: str, text: str) -> Iterator[str]:
    watcher = watcher_of(world, name, [(work.run_id, one) for one in work.kept.manifest.parts])
    watcher.put(list_name(work.run_id, work.part.label), text)
    yield _seen(watcher, work, len(json.loads(text)))


def _drop(world: World, name: str, listed: str) -> Iterator[str]:
    if watcher_of(world, name).drop(listed):
        yield f"{name} watches nothing of {listed.removesuffix('.json')} any more."


def _seen(watcher: Watcher, work: Work, wanted: int) -> str:
    """What Prometheus says of the part's targets, so many, once it has asked each of them. Raises WorldProblem that names the silent."""
    machines = machines_of(work.results)
    found: tuple[tuple[str, str, bool], ...] = ()
    for look in range(LOOKS_MAX):
        if look:
            time.sleep(LOOK_SECONDS)
        found = watcher.health(work.run_id, work.part.label)
        if len(found) == wanted and all(up for _, _, up in found):
            return f"{_spoken(machines)}: watched by {watcher.name}, which has all figures."
    silent = [f"{job} of {machine}" for machine, job, up in found if not up] or [f"some of {_spoken(machines)}"]
    raise WorldProblem(
        "What is made cannot be watched yet.",
        f"{watcher.name} was told of it, and has no figures of {', '.join(silent)} yet.",
        f"It goes on asking. If it stays so, let {watcher.name} reach these ports.",
    )


def _tried(lines: Iterator[str]) -> tuple[list[str], list[str]]:
    """(what was done, what is in its way): that is told, and stops nobody."""
    done: list[str] = []
    try:
        for line in lines:
            done.append(line)
    except (WorldProblem, RequestProblem) as problem:
        return done, [f"{problem.detail} {problem.remedy}".strip()]
    return done, []


def watcher_of(world: World, name: str, own: Sequence[tuple[str, Part]] = ()) -> Watcher:
    """The machine of a monitoring, of the parts that are at hand or of a run that stands. Raises WorldProblem when it can be told
    nothing."""
    site = world.site.monitoring
    if name == site.host:
        return Watcher(name, Path(site.ssh_config).expanduser() if site.ssh_config else None, site.targets)
    standing = [(run, one) for run, made in world.ledger.plans.standing(STANDING, WATCHES) for one in made.parts]
    for run, part in (*own, *standing):
        if not part.watches or name not in {machine.name for machine in part.machines}:
            continue
        if body := next((m.body for m in machines_of(world.ledger.runs.results(run, part.label)) if m.name == name), ""):
            raise WorldProblem("A model is told nothing.", f"{name} is an {body}, so it is told of nothing and watches nothing.")
        return Watcher(name, config_file(world.run_folder(run)), TARGETS)
    raise WorldProblem("The monitoring is gone.", f"{name} is not among what runs.", "Ask for monitoring: it takes over what runs.")


def _waits_for_monitoring(work: Work) -> bool:
    """A monitoring of the same run looks itself, once it is configured: by then this part's machines are known."""
    by = set(work.part.watched_by)
    labels = {one.label for one in work.kept.manifest.parts if one.watches and by & {machine.name for machine in one.machines}}
    steps = work.world.ledger.runs.get(work.run_id).steps
    return any(step.part in labels and step.name == "configure" and step.status != "done" for step in steps)


def _told_of(world: World, part: Part, listed: str) -> tuple[str, ...]:
    """The machines that were told of a part."""
    standing = world.ledger.plans.standing(STANDING, WATCHES)
    took = (m.name for _, manifest in standing for one in manifest.parts if listed in dict(one.takes_over) for m in one.machines)
    return tuple(dict.fromkeys((*part.watched_by, *took)))


def _is_gone(world: World, listed: str) -> bool:
    """Of a run of ours that is removed; lists of others are none of our business."""
    try:
        return world.ledger.runs.row("-".join(listed.split("-")[:2])).status == "removed"
    except RequestProblem:
        return False


def _spoken(machines: Sequence[MachineReceipt]) -> str:
    names = [one.name for one in machines]
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
