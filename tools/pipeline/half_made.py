"""Takes away the machines that a killed Terraform left half made and unrecorded, so that they can be made whole. Only what is certainly the
part's own: the id was promised to it by the ledger, free when the plan was applied, and the name (once the clone has one) is the planned one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.clients.terraform import Terraform
from tools.pipeline.steps import Work
from tools.values.trouble import RequestProblem

if TYPE_CHECKING:
    from tools.clients.proxmox_removing import Removing


def clear_half_made(work: Work) -> None:
    if work.part.target != "proxmox" or work.plan.kind != "create" or not work.world.settings.proxmox_endpoint:
        return
    from tools.clients.proxmox_removing import Removing  # Only here, so that a first prompt does not wait for proxmoxer to load.

    recorded = Terraform(work.world.settings, work.part_folder).machine_ids()
    machines = work.part.variables.get("machines", []) if isinstance(work.part.variables, dict) else []
    unrecorded = [machine for machine in machines if machine["vm_id"] not in recorded]
    if not unrecorded:
        return
    cluster = Removing(work.world.settings)
    for machine in unrecorded:
        _clear(work, cluster, int(machine["vm_id"]), str(machine["name"]))


def _clear(work: Work, cluster: Removing, vm_id: int, name: str) -> None:
    found = cluster.find(vm_id)
    if found is None:
        return
    work.say(f"VM {vm_id} was left half made; waiting until the cluster has done with it.")
    if not cluster.wait_unlocked(str(found["node"]), vm_id):
        return
    found = cluster.find(vm_id)
    if found is None:
        return
    if found.get("name") not in (name, f"VM {vm_id}", None) or found.get("template"):
        raise RequestProblem(
            "Somebody else's machine has our id.",
            f"VM {vm_id} is called {found.get('name')}, not {name}; it is left alone.",
            "Say roll back, then ask again: another id will be chosen.",
        )
    node = str(found["node"])
    work.world.ledger.audit.record(
        work.world.now(), "removing half-made", run_id=work.run_id, part=work.part.name, vm_id=vm_id, node=node, name=name
    )
    cluster.remove(node, vm_id)
    work.say(f"The half-made VM {vm_id} is removed; it is made anew.")
