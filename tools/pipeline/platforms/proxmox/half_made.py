"""Looks at what stands in the cluster under the ids of a run: machines and networks that a killed Terraform left half made and unrecorded,
which are taken away so that they can be made whole, or because their removal was approved; and strangers, who are left alone. Only what is
certainly the part's own is touched; what that means is decided by tools.rules.machines.ownership and tools.rules.machines.vnets."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tools.clients.settings import Settings
from tools.pipeline.begun import begun, record_is_lost
from tools.pipeline.platforms.proxmox import vnets
from tools.pipeline.run_folder import part_folder, terraform_of
from tools.pipeline.steps import Work
from tools.pipeline.world import World
from tools.rules.machines import ownership
from tools.rules.machines.ownership import Marks, Recorded, Standing
from tools.rules.machines.vnets import Written, removal_of, told, written_by
from tools.rules.machines.vnets import to_be_cleared as vnets_to_be_cleared
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.plan import Change
from tools.values.trouble import RequestProblem
from tools.values.value import Json

if TYPE_CHECKING:
    from tools.clients.proxmox_removing import Removing


def clear_half_made(work: Work) -> None:
    """Before the rest of a plan is planned anew: what was begun is taken away, so that it can be made whole."""
    for machine in ownership.to_be_made(work.part_plan.changes, _unrecorded(work.part, work.part_folder)):
        if _clear(work, Marks(vm_id=machine.vm_id, name=machine.name)):
            work.say(f"The half-made VM {machine.vm_id} is removed; it is made anew.")
    made = {change.name for change in work.part_plan.changes if change.action == "create"}
    _clear_networks(work, [one for one in written_by(work.part) if one.name in made], "; it is made anew")


def remove_half_made(work: Work) -> None:
    """The beginning of an approved removal: what Terraform does not know, and the plan names."""
    for one in ownership.to_be_cleared(work.part_plan.changes):
        if _clear(work, one):
            work.say(f"The half-made VM {one.vm_id} is removed.")
    _clear_networks(work, vnets_to_be_cleared(work.part_plan.changes, work.part), "")


def left_half_made(world: World, run_id: str, part: Part) -> tuple[tuple[Change, str], ...]:
    """What the run began to make, and Terraform has not recorded; all it made, where that record is lost. Nothing is changed."""
    folder = part_folder(world.run_folder(run_id), part)
    lost = record_is_lost(world, run_id, part)
    if not begun(folder) and not lost:
        return ()  # Nothing of the part was ever begun, so whatever has its ids by now is somebody else's.
    wanted = part.machines if lost else _unrecorded(part, folder)
    found = standing(world.settings, [one.vm_id for one in wanted])
    if lost:  # It was whole once, so it has the tags that it was given.
        _refuse_untagged(part, found)
    left = ownership.left_half_made(wanted, found, _given_later(world, run_id)) if found else ()
    machines = tuple((ownership.removal_of(one, lost), ownership.told(one, run_id, lost)) for one in left)
    written = vnets.half_made(world.settings_of(part), part, terraform_of(world, folder.parent, part).state())
    return machines + tuple((removal_of(one), told(one, run_id)) for one in written)


def refuse_strangers(world: World, folder: Path, part: Part, plan_json: Mapping[str, Json] | None = None) -> None:
    """What stands under the ids of the part's machines is still what was made. Terraform would not see it: it looks them up by id alone,
    and applies a saved plan without looking at all. `folder` has the part's state."""
    made = _read(folder / "terraform.tfstate")
    found: Iterable[Marks] = (
        ownership.refreshed(plan_json) if plan_json is not None else standing(world.settings, [one.vm_id for one in made]).values()
    )
    if sentences := ownership.strangers(part, made, found):
        raise RequestProblem(
            "Somebody else's machine has our id.",
            f"{' '.join(sentences)} Nothing was done.",
            "If ours was deleted by hand, let Terraform forget it and ask again: "
            f"in {folder}, type `terraform state rm` with its address in quotes, which `terraform state list` "
            f"shows. If it is ours, give it "
            "its name back (`qm set`), or take its new network card into the record with `terraform apply -refresh-only` there.",
        )


def standing(settings: Settings, vm_ids: Iterable[int]) -> dict[int, Standing]:
    """What stands in the cluster under these ids, as its own configuration says."""
    wanted = frozenset(vm_ids)
    if not wanted or not settings.proxmox_endpoint:
        return {}
    from tools.clients.proxmox import Proxmox  # Only here, so that a first prompt does not wait for proxmoxer to load.

    cluster = Proxmox(settings)
    rows = [row for row in cluster.read("cluster", "resources", type="vm") if row.get("vmid") in wanted]
    found = filter(None, (cluster.read_of(int(row["vmid"]), "config") for row in rows))
    return {one.vm_id: one for one in (ownership.standing_in(row, config) for row, config in found)}


def _clear_networks(work: Work, wanted: Collection[Written], then: str) -> None:
    if not wanted:
        return
    state = terraform_of(work.world, work.run_folder, work.part).state()
    for one in vnets.clear(work.world.settings_of(work.part), work.part, state, wanted):
        work.say(f"{one.kind} {one.name} was written down and not recorded. It is taken out{then}.")
        facts = {"part": work.part.label, "kind": one.kind, "name": one.name}
        work.world.ledger.audit.record(work.world.now(), "removing half-made", run_id=work.run_id, **facts)


def _refuse_untagged(part: Part, found: Mapping[int, Standing]) -> None:
    """Without a record a name and an id are not enough to take a machine for ours."""
    tags = {one.vm_id: (one.name, frozenset(one.tags)) for one in part.machines}
    for vm_id, one in found.items():
        name, wanted = tags[vm_id]
        if one.name == name and not wanted <= frozenset(one.tags):
            raise RequestProblem(
                "Whose machine it is cannot be told.",
                "The record of what was made is lost. "
                f"VM {vm_id} on {one.node} is called {name} and lacks the tags {', '.join(sorted(wanted))}.",
                f"If it is ours, give it these tags in Proxmox and ask again. If nobody wants it, type `qm destroy {vm_id} --purge` there.",
            )


def _unrecorded(part: Part, folder: Path) -> tuple[Machine, ...]:
    """Those that no state of the part ever recorded. What was recorded once and is not any more was removed, or forgotten on purpose."""
    states = (*folder.glob("terraform.tfstate*"), *folder.glob(".apply/*/state.before"))
    return ownership.unrecorded(part, (one.vm_id for path in states for one in _read(path)))


def _read(state: Path) -> tuple[Recorded, ...]:
    """None when there is no such file, or it was cut short."""
    try:
        return ownership.recorded(json.loads(state.read_bytes())) if state.exists() else ()
    except ValueError:
        return ()


def _given_later(world: World, run_id: str) -> frozenset[int]:
    """Ids of runs that were begun after this one, whosever they are."""
    ledger = world.ledger.whole
    rows = ledger.runs.rows()
    later = rows[[row.id for row in rows].index(run_id) + 1 :]
    parts = (part for row in later for part in ledger.plans.kept(row.plan_digest).manifest.parts)
    return frozenset(one.vm_id for part in parts for one in part.machines)


def _clear(work: Work, machine: Marks) -> bool:
    """False when there was nothing to take away."""
    settings = work.world.settings
    found = standing(settings, [machine.vm_id]).get(machine.vm_id)
    if found is None:
        return False
    work.say(f"VM {machine.vm_id} was left half made; waiting until the cluster has done with it.")
    if not _looking(settings).wait_unlocked(machine.vm_id):
        return False
    found = standing(settings, [machine.vm_id]).get(machine.vm_id)
    if found is None:
        return False
    if found.name != machine.name or not found.machine:
        raise RequestProblem(
            "Somebody else's machine has our id.",
            f"VM {machine.vm_id} on {found.node} is called {found.name or 'nothing'}, not {machine.name}; it is left alone.",
            f"If nobody wants it, type `qm destroy {machine.vm_id} --purge` on {found.node} and say retry. Otherwise say roll back, "
            "then ask again: another id will be chosen.",
        )
    work.world.ledger.audit.record(
        work.world.now(),
        "removing half-made",
        run_id=work.run_id,
        part=work.part.label,
        vm_id=machine.vm_id,
        node=found.node,
        name=machine.name,
    )
    _removing(settings).remove(found.node, machine.vm_id)
    return True


def _removing(settings: Settings) -> Removing:
    from tools.clients.proxmox_removing import Removing

    return Removing(settings)


def _looking(settings: Settings) -> Removing:
    """With the eyes of the token that may look everywhere, where there is one: a clone is in its pool only when it is whole."""
    scan = settings.proxmox_scan_token
    return _removing(settings.model_copy(update={"proxmox_api_token": scan}) if scan else settings)
