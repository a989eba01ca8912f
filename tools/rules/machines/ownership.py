"""Whose a machine of the cluster is: a run's own, or somebody else's who has its id by now. From values alone; nothing is looked up
here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tools.rules.machines.images import becomes_template
from tools.rules.machines.restarting import VM
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.plan import Change
from tools.values.run import PartReceipt, Receipt, Run
from tools.values.value import Json, Value

_LEFT = re.compile(r"VM (\d{3,9}) on ")
_NETWORK_CARD = re.compile(r"net\d{1,2}")
_MAC = re.compile(r"(?i)(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])")


class Marks(Value):
    """What one machine is told from another by. An id is given anew as soon as its machine is deleted; a network card's address is not."""

    vm_id: int
    name: str
    """Empty while it is being cloned, and where nobody gave it one."""
    macs: tuple[str, ...] = ()
    """Of its network cards; none where they are not known."""


class Standing(Marks):
    """What stands in the cluster under an id."""

    node: str
    locked: bool = False
    machine: bool = True
    """A virtual machine: no container, no template."""
    template: bool = False
    tags: tuple[str, ...] = ()


class Recorded(Marks):
    """A machine as Terraform's state or plan has it."""

    address: str
    key: str
    """The machine's name in the manifest that it was made from, which its resource goes by."""


def unrecorded(part: Part, recorded_ids: Iterable[int]) -> tuple[Machine, ...]:
    """Machines that Terraform does not know of: never begun, or begun by one that was killed before it wrote them down."""
    known = frozenset(recorded_ids)
    return tuple(one for one in part.machines if one.vm_id not in known)


def standing_in(row: Json, config: Json) -> Standing:
    """From a line of the cluster's resources, and the machine's own configuration, whose name is never an old one."""
    return Standing(
        vm_id=int(row["vmid"]),
        node=str(row.get("node", "")),
        name=str(config.get("name") or ""),
        macs=tuple(sorted(filter(None, (_mac(str(line)) for key, line in config.items() if _NETWORK_CARD.fullmatch(key))))),
        locked=bool(config.get("lock")),
        tags=tuple(filter(None, re.split(r"[;, ]+", str(config.get("tags") or "")))),
        machine=row.get("type", "qemu") == "qemu" and not row.get("template") and not config.get("template"),
        template=bool(row.get("template") or config.get("template")),
    )


def recorded(state: Json) -> tuple[Recorded, ...]:
    """The machines that a state file records."""
    resources = (one for one in state.get("resources", ()) if one.get("mode") == "managed" and one.get("type") == VM)
    instances = (
        (f'{VM}.{one.get("name")}["{instance.get("index_key")}"]', instance.get("index_key"), instance.get("attributes"))
        for one in resources
        for instance in one.get("instances", ())
    )
    return tuple(found for found in (_recorded(*one) for one in instances) if found)


def refreshed(plan_json: Json) -> tuple[Recorded, ...]:
    """The machines that a plan found in the place of those that are recorded: Terraform looks them up by their ids alone."""
    found = (
        _recorded(str(one["address"]), one.get("index"), (one.get("change") or {}).get("before"))
        for one in plan_json.get("resource_changes", ())
        if one.get("mode") != "data" and one.get("type") == VM
    )
    return tuple(one for one in found if one)


def strangers(part: Part, made: Iterable[Recorded], found: Iterable[Marks]) -> tuple[str, ...]:
    """What stands in the place of the part's machines and is not what was made, a sentence each. All that are recorded are compared, also
    those that stay as they are: an apply writes down what it found, and a stranger who is written down is ours the next time."""
    planned = {one.name: one.vm_id for one in part.machines}
    by_id = {one.vm_id: one for one in found}
    sealed = becomes_template(part)
    return tuple(sentence for one in made for sentence in _differences(one, planned.get(one.key, one.vm_id), by_id.get(one.vm_id), sealed))


def _differences(made: Recorded, planned_id: int, found: Marks | None, sealed: bool) -> Iterator[str]:
    if made.vm_id != planned_id:
        yield f"{made.key} is recorded as VM {made.vm_id}, and was planned as VM {planned_id}."
    if found is None:
        return  # It is gone, and nobody has its id.
    if isinstance(found, Standing) and not found.machine and not (sealed and found.template):
        yield f"VM {found.vm_id} is a container or a template, and {made.key} is neither."
    elif found.name != made.key:
        yield f"VM {found.vm_id} is called {found.name or 'nothing'}, not {made.key}."
    elif made.macs and found.macs and not set(made.macs) & set(found.macs):
        yield (
            f"VM {found.vm_id} is called {made.key}, but its network card {', '.join(found.macs)} "
            f"is not the one that was made, {', '.join(made.macs)}."
        )


def _recorded(address: str, key: Json, values: Json) -> Recorded | None:
    if not isinstance(values, dict) or not values.get("vm_id"):
        return None
    cards = values.get("network_device") or ()
    macs = tuple(sorted(str(card["mac_address"]).upper() for card in cards if card.get("mac_address")))
    return Recorded(address=address, key=str(key), vm_id=int(values["vm_id"]), name=str(values.get("name") or ""), macs=macs)


def _mac(line: str) -> str:
    """Of `virtio=BC:24:11:00:00:01,bridge=vmbr0`; empty when it names none."""
    found = _MAC.search(line)
    return found.group(0).upper() if found else ""


def half_made(wanted: Machine, found: Standing) -> bool:
    """Begun by a Terraform that was killed. The id was promised to the part and free when its plan was applied; what stands there has the
    planned name, or is still being cloned and has none yet. Before anything is done to it, it must have the name."""
    return found.machine and (found.name == wanted.name or (found.locked and not found.name))


def left_half_made(wanted: Iterable[Machine], found: Mapping[int, Standing], others_ids: Iterable[int]) -> tuple[Standing, ...]:
    """Those that stand and are the part's own. An id that a later run was given was free then, so what stands there now is not ours."""
    given = frozenset(others_ids)
    pairs = ((one, found[one.vm_id]) for one in wanted if one.vm_id in found and one.vm_id not in given)
    return tuple(stands.model_copy(update={"name": one.name}) for one, stands in pairs if half_made(one, stands))


def removal_of(left: Standing, lost: bool = False) -> Change:
    """The line in a plan of removal for what Terraform does not know, so that no Terraform address stands for it."""
    why = "its record is lost" if lost else "left half made"
    return Change(address=f"VM {left.vm_id} on {left.node}, {why}", action="delete", name=left.name)


def to_be_cleared(changes: Iterable[Change]) -> tuple[Marks, ...]:
    """The half-made ones whose removal was approved, wherever in the cluster they were when the plan was made."""
    found = ((change, _LEFT.match(change.address)) for change in changes if change.action == "delete")
    return tuple(Marks(vm_id=int(at[1]), name=change.name) for change, at in found if at)


def to_be_made(changes: Iterable[Change], wanted: Iterable[Machine]) -> tuple[Machine, ...]:
    """Those whose making was approved: whoever approved that a thing is made has approved that it is made whole."""
    named = {change.name for change in changes if change.action == "create"}
    return tuple(one for one in wanted if one.name in named)


def told(left: Standing, run_id: str, lost: bool = False) -> str:
    """For a receipt: what stands, and how to remove it."""
    why = "stands there, and the record of it is lost" if lost else "was left half made, and Terraform has no record of it"
    return (
        f"{left.name}: VM {left.vm_id} on {left.node} {why}. "
        f"Say `remove {run_id}` to plan its removal, or type `qm destroy {left.vm_id} --purge` on {left.node}."
    )


def with_half_made(ran: Run, stands: Mapping[str, tuple[str, ...]]) -> Receipt:
    """The run's receipt, which says of each part what stands half made."""
    before = ran.receipt.parts if ran.receipt else ()
    fresh = tuple(PartReceipt(label=name, outputs=None) for name in stands if stands[name] and name not in {p.label for p in before})
    parts = tuple(part.model_copy(update={"not_verified": (*part.not_verified, *stands.get(part.label, ()))}) for part in (*before, *fresh))
    return Receipt(
        run_id=ran.id,
        plan_digest=ran.plan_digest,
        parts=parts,
        guide=ran.receipt.guide if ran.receipt else "",
        undo=f"remove {ran.id}",
    )
