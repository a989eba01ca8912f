"""The step that makes a template of a machine that was furnished: its guest agent has to answer, what is of this one machine is cleaned
away, it is shut down, and converted. It looks before it does: what is a template already is left alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools.clients import ssh
from tools.clients.settings import Settings
from tools.pipeline.steps import Work
from tools.rules.machines.images import becomes_template
from tools.rules.names.foreign import theirs
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.trouble import WorldProblem
from tools.values.value import Json

if TYPE_CHECKING:
    from tools.clients.proxmox_acting import Acting

AGENT_LOOKS_MAX = 60
AGENT_LOOK_SECONDS = 1.0
CLEAN_SECONDS_MAX = 120.0
MARK = ".cleaned"
BEGUN, DONE = "begun", "done"
KEYS = " ".join(f"/etc/ssh/ssh_host_{kind}_key{end}" for kind in ("rsa", "ecdsa", "ed25519") for end in ("", ".pub"))
NETWORK = "/etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init"
CLEAN = (
    "sudo cloud-init clean --logs --machine-id"
    f" && sudo rm -f {KEYS} {NETWORK}"
    # Last of all: whoever is refused by these has cleaned the rest.
    " && sudo rm -f ~root/.ssh/authorized_keys ~/.ssh/authorized_keys"
)
"""Cloud-init sets a clone up as a new instance, with a machine id, host keys and keys of its own."""
REFUSED = "Permission denied"


def is_sealed(settings: Settings, part: Part) -> bool:
    """Whether it was made a template already, so that nothing is left to do: in a change of other parts, and when a step is done again."""
    if not becomes_template(part):
        return False
    from tools.clients.proxmox import Proxmox

    cluster = Proxmox(settings)
    found = [cluster.find(machine.vm_id) for machine in part.machines]
    return all(row is not None and bool(row.get("template")) for row in found)


def seal(work: Work) -> Json:
    from tools.clients.proxmox_acting import Acting  # Only here, so that a first prompt does not wait for proxmoxer to load.

    cluster = Acting(work.world.settings_of(work.part))
    for machine in work.part.machines:
        cluster.wait_idle(machine.vm_id)
        row = cluster.find(machine.vm_id)
        if row is None:
            raise WorldProblem(
                "A machine is gone.",
                f"{machine.name} (VM {machine.vm_id}) is not in the cluster.",
                "Say retry: what is missing of the approved plan is planned and made again.",
                retryable=True,
            )
        if row.get("template"):
            continue
        node, mark = str(row["node"]), work.part_folder / MARK
        _clean(work, cluster, node, machine, mark)
        cluster.make_template(node, machine.vm_id)
        work.say(f"{machine.name} is a template: VM {machine.vm_id} on {node}.")
    return {}


def _clean(work: Work, cluster: Acting, node: str, machine: Machine, mark: Path) -> None:
    """And shut down. Whoever stopped in between goes on where it was."""
    cleaned = mark.exists() and mark.read_text() == DONE
    running = _runs(cluster, machine)
    if cleaned and not running:
        return
    if not running:
        work.say(f"{machine.name} is switched off, and is started.")
        cluster.start(node, machine.vm_id)
    if not cleaned:
        _wait_for_agent(work, cluster, node, machine)
        before = mark.exists()
        mark.write_text(BEGUN)
        answer = ssh.run_on(work.run_folder, machine.name, CLEAN, CLEAN_SECONDS_MAX)
        if answer.code != 0 and not (before and REFUSED in answer.output):
            raise WorldProblem(
                "A machine could not be cleaned.",
                f"{machine.name} answered {theirs(' '.join(answer.output.split())[-200:] or 'nothing')}.",
                "Log in and look at it, then say retry. Nothing is made a template before it is clean.",
                retryable=True,
            )
        mark.write_text(DONE)
        work.say(f"{machine.name} is cleaned of all that is its own: cloud-init's instance, machine id, host keys and keys that log in.")
    cluster.shut_down(node, machine.vm_id)


def _runs(cluster: Acting, machine: Machine) -> bool:
    found = cluster.read_of(machine.vm_id, "status", "current")
    return found is not None and found[1].get("status") == "running"


def _wait_for_agent(work: Work, cluster: Acting, node: str, machine: Machine) -> None:
    """A template without it would be found out by the first machine that waits for an address."""
    for _ in range(AGENT_LOOKS_MAX):
        if cluster.addresses(node, machine.vm_id) is not None:
            work.say(f"{machine.name}: its guest agent answers the cluster.")
            return
        time.sleep(AGENT_LOOK_SECONDS)
    raise WorldProblem(
        "The guest agent does not answer.",
        f"It is installed on {machine.name}, and the cluster has asked it for {AGENT_LOOKS_MAX * AGENT_LOOK_SECONDS:.0f} s.",
        f"Look at `systemctl status qemu-guest-agent` on {machine.name}, then say retry.",
        retryable=True,
    )
