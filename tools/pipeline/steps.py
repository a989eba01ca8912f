"""The steps of a run: one list of values, each with what it does and what it undoes. Bookkeeping belongs to carrying and the engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.ledger.leases import Lease
from tools.ledger.plans import Kept
from tools.pipeline.context import Input, PartContext
from tools.pipeline.world import World
from tools.rules.machines.images import becomes_template
from tools.rules.machines.registering import is_registered
from tools.rules.machines.watching import watches_or_is_watched
from tools.rules.plans.changes import Kind
from tools.values.manifest import Manifest, Part
from tools.values.plan import PartPlan, Plan
from tools.values.run import MachineReceipt, PartReceipt
from tools.values.value import Json

Action = Callable[["Work"], Json]
"""What it returns (JSON) is kept for the steps after it. Carried out twice, it changes nothing the second time."""


def every(part: Part) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One step of every part that it applies to."""

    name: str
    do: Action
    undo: Action | None = None
    """Carried out by a removal, the last step first. None: it leaves nothing that has to be undone."""
    applies_to: Callable[[Part], bool] = every
    stops_itself: bool = False
    """It looks whether the run is cancelled, and stops gently. Every other step ends at the next line that it says."""


Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Work:
    """One step of one part of one run, with all that its function may need."""

    world: World
    run_id: str
    kept: Kept
    """The plan and what it was made from, as the ledger has them."""
    part: Part
    step: str
    lease: Lease
    results: Mapping[str, Json]
    """What the part's earlier steps handed on."""
    resumed: bool
    """Somebody else began this run, or it was stopped and goes on: look before doing."""
    cancelled: Callable[[], bool]
    look_again: Action
    """The first step: looks at the world before anything is changed."""
    tell: Callable[[str, str], None]
    """(line, key): a line of the journal, said once a key; no key: said each time."""

    def say(self, text: str) -> None:
        self.tell(text, "")

    @property
    def plan(self) -> Plan:
        return self.kept.plan

    @property
    def kind(self) -> Kind:
        """Of what is done to this part: a change that leads back removes what came with the change before it."""
        return "remove" if self.part in self.kept.manifest.taken_back else self.plan.kind

    @property
    def part_plan(self) -> PartPlan:
        return next(one for one in self.plan.parts if one.label == self.part.label)

    @property
    def run_folder(self) -> Path:
        return self.world.run_folder(self.run_id)

    @property
    def part_folder(self) -> Path:
        return self.run_folder / self.part.label

    def context(self) -> PartContext:
        """For the functions that configure, verify and write."""
        applied = self.results.get("apply") or {}
        verified = self.results.get("verify") or {}
        return PartContext(
            settings=self.world.settings_of(self.part),
            run_folder=self.run_folder,
            part_folder=self.part_folder,
            part=self.part,
            outputs=applied.get("outputs"),
            machines=machines_of(self.results),
            verified=tuple(verified.get("verified", ())),
            not_verified=tuple(verified.get("not_verified", ())),
            now=self.world.now,
            inputs=tuple(self._inputs()),
            cancelled=self.cancelled,
        )

    def _inputs(self) -> Iterator[Input]:
        for label in self.part.uses:
            met = {m.name: m.address for m in machines_of(self.world.ledger.runs.results(self.run_id, label))}
            for endpoint in self.kept.manifest.part(label).endpoints:
                known = (endpoint.address,) if endpoint.address else tuple(met[name] for name in endpoint.machines if name in met)
                yield Input(label, endpoint, known)


def machines_of(results: Mapping[str, Json]) -> tuple[MachineReceipt, ...]:
    waited = results.get("wait") or {}
    return tuple(MachineReceipt.model_validate(one) for one in waited.get("machines", ()))


def part_receipt(label: str, results: Mapping[str, Json]) -> PartReceipt:
    applied = results.get("apply") or {}
    verified = results.get("verify") or {}
    watched = results.get("watch") or {}
    registered = results.get("register") or {}
    return PartReceipt(
        label=label,
        outputs=applied.get("outputs"),
        machines=machines_of(results),
        verified=(*verified.get("verified", ()), *watched.get("watched", ()), *registered.get("registered", ())),
        not_verified=(*verified.get("not_verified", ()), *watched.get("not_watched", ()), *registered.get("not_registered", ())),
        providers=tuple((one[0], one[1]) for one in applied.get("providers", ())),
    )


def steps_of(plan: Plan, manifest: Manifest, steps: Steps) -> tuple[tuple[str, str], ...]:
    """(part, step), as they are laid out: a part after those it needs; what is taken away the other way round, after what stays."""
    planned = {one.label for one in plan.parts}
    removal = plan.kind == "remove"

    def pairs(parts: tuple[Part, ...]) -> list[tuple[Part, Step]]:
        return [(part, step) for part in _ordered(parts) if part.label in planned for step in steps if step.applies_to(part)]

    undone = [one for one in reversed(pairs(manifest.parts if removal else manifest.taken_back)) if one[1].undo is not None]
    done = [] if removal else pairs(manifest.parts)
    return tuple((part.label, step.name) for part, step in (*done, *undone))


def waits_of(plan: Plan, manifest: Manifest, planned: Collection[str]) -> dict[str, frozenset[str]]:
    """Label of each part that is planned → those that must be done before it: those it needs; before one that is taken away, those that
    needed it."""
    going = (*manifest.parts, *manifest.taken_back) if plan.kind == "remove" else manifest.taken_back
    waits = {part.label: {*part.after} for part in manifest.parts if part not in going}
    for part in going:
        waits[part.label] = {*part.let_go_by, *(one.label for one in going if part.label in one.after)}
    return {label: frozenset(waits[label]).intersection(planned) for label in planned}


def _ordered(parts: tuple[Part, ...]) -> list[Part]:
    ordered: list[Part] = []
    left = list(parts)
    while left:
        names = {part.label for part in left}
        ready = [part for part in left if not names.intersection(part.after)]
        if not ready:
            raise AssertionError(f"the parts {', '.join(sorted(names))} wait for one another")
        ordered += ready
        left = [part for part in left if part not in ready]
    return ordered


def production() -> Steps:
    """The steps of the product. Imported here and not above: Ansible and Proxmox need not be loaded to draw a plan."""
    from tools.pipeline.after import configure_step, guide_step, verify_step, wait_step
    from tools.pipeline.applying import apply
    from tools.pipeline.leaving import leave
    from tools.pipeline.platforms.proxmox.sealing import seal
    from tools.pipeline.rechecking import recheck
    from tools.pipeline.registering import register, release, reserve, withdraw
    from tools.pipeline.watching import unwatch_step, watch_step

    return (
        Step("recheck", recheck),
        Step("leave", leave, applies_to=lambda part: bool(part.farewell)),
        Step("reserve", reserve, undo=release, applies_to=is_registered),
        Step("apply", apply, undo=apply, stops_itself=True),
        Step("wait", wait_step, applies_to=lambda part: part.configure is not None and bool(part.every_machine)),
        Step("configure", configure_step, applies_to=lambda part: part.configure is not None),
        Step("seal", seal, applies_to=becomes_template),
        Step("watch", watch_step, undo=unwatch_step, applies_to=watches_or_is_watched),
        Step("verify", verify_step),
        Step("register", register, undo=withdraw, applies_to=is_registered),
        Step("guide", guide_step),
    )
