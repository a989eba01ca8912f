"""Whose a machine of the cluster is: a run's own, or somebody else's who has its id by now. From values alone; nothing is looked up here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tools.values.manifest import Part
from tools.values.plan import Change
from tools.values.run import PartReceipt, Receipt, Run
from tools.values.value import Json, Value


class Standing(Value):
    """What stands in the cluster under an id."""

    vm_id: int
    node: str
    name: str
    """Empty while it is being cloned, and where nobody gave it one."""
    locked: bool = False
    machine: bool = True
    """A virtual machine: no container, no template."""


class Planned(Value):
    """A machine as the manifest wants it."""

    name: str
    vm_id: int


def machines_of(part: Part) -> tuple[Planned, ...]:
    """The machines of a part on a cluster; none where it has no such thing."""
    listed = part.variables.get("machines", []) if part.target == "proxmox" and isinstance(part.variables, dict) else []
    return tuple(Planned(name=str(one["name"]), vm_id=int(one["vm_id"])) for one in listed)


def unrecorded(part: Part, recorded_ids: Iterable[int]) -> tuple[Planned, ...]:
    """Machines that Terraform does not know of: never begun, or begun by one that was killed before it wrote them down."""
    known = frozenset(recorded_ids)
    return tuple(one for one in machines_of(part) if one.vm_id not in known)


def standing_in(row: Json, config: Json) -> Standing:
    """From a line of the cluster's resources, and the machine's own configuration, whose name is never an old one."""
    return Standing(
        vm_id=int(row["vmid"]),
        node=str(row.get("node", "")),
        name=str(config.get("name") or ""),
        locked=bool(config.get("lock")),
        machine=row.get("type", "qemu") == "qemu" and not row.get("template") and not config.get("template"),
    )


def half_made(wanted: Planned, found: Standing) -> bool:
    """Begun by a Terraform that was killed. The id was promised to the part and free when its plan was applied; what stands there has the
    planned name, or is still being cloned and has none yet. Before anything is done to it, it must have the name."""
    return found.machine and (found.name == wanted.name or (found.locked and not found.name))


def left_half_made(wanted: Iterable[Planned], found: Mapping[int, Standing], others_ids: Iterable[int]) -> tuple[Standing, ...]:
    """Those that stand and are the part's own. An id that a later run was given was free then, so what stands there now is not ours."""
    given = frozenset(others_ids)
    pairs = ((one, found[one.vm_id]) for one in wanted if one.vm_id in found and one.vm_id not in given)
    return tuple(stands.model_copy(update={"name": one.name}) for one, stands in pairs if half_made(one, stands))


def removal_of(left: Standing) -> Change:
    """The line in a plan of removal for what Terraform does not know, so that no Terraform address stands for it."""
    return Change(address=f"VM {left.vm_id} on {left.node}, left half made", action="delete", name=left.name)


def is_removal_of(change: Change, wanted: Planned) -> bool:
    """Wherever in the cluster it was when the plan was made."""
    return (change.action, change.name) == ("delete", wanted.name) and change.address.startswith(f"VM {wanted.vm_id} on ")


def to_be_cleared(changes: Iterable[Change], wanted: Iterable[Planned]) -> tuple[Planned, ...]:
    """The half-made ones whose removal was approved."""
    listed = tuple(changes)
    return tuple(one for one in wanted if any(is_removal_of(change, one) for change in listed))


def to_be_made(changes: Iterable[Change], wanted: Iterable[Planned]) -> tuple[Planned, ...]:
    """Those whose making was approved: whoever approved that a thing is made has approved that it is made whole."""
    named = {change.name for change in changes if change.action == "create"}
    return tuple(one for one in wanted if one.name in named)


def told(left: Standing, run_id: str) -> str:
    """For a receipt: what stands, and how to remove it."""
    return (
        f"{left.name}: VM {left.vm_id} on {left.node} was left half made, and Terraform has no record of it. "
        f"Say `remove {run_id}` to plan its removal, or type `qm destroy {left.vm_id} --purge` on {left.node}."
    )


def with_half_made(ran: Run, stands: Mapping[str, tuple[str, ...]]) -> Receipt:
    """The run's receipt, which says of each part what stands half made."""
    before = ran.receipt.parts if ran.receipt else ()
    fresh = tuple(
        PartReceipt(name=name, outputs=None) for name in stands if stands[name] and name not in {p.name for p in before}
    )
    parts = tuple(
        part.model_copy(update={"not_verified": (*part.not_verified, *stands.get(part.name, ()))}) for part in (*before, *fresh)
    )
    return Receipt(
        run_id=ran.id,
        plan_digest=ran.plan_digest,
        parts=parts,
        guide=ran.receipt.guide if ran.receipt else "",
        undo=f"remove {ran.id}",
    )
