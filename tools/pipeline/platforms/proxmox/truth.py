"""Whether what was made is what was approved: the cluster and the machines themselves are asked. Terraform is not: its plan is empty while
a change waits for a restart. What the approval covers is put right; what counts as right is decided by tools.rules.machines.likeness."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from tools.clients import detached, ssh
from tools.clients.settings import Settings
from tools.clients.together import each, together
from tools.pipeline.begun import begun
from tools.pipeline.context import PartContext, Say
from tools.pipeline.platforms.proxmox import vnets
from tools.pipeline.platforms.proxmox.sealing import is_sealed
from tools.pipeline.steps import Work
from tools.rules.machines import firewall, likeness
from tools.rules.machines.firewall import Firewall
from tools.rules.machines.images import becomes_template
from tools.rules.machines.likeness import Here
from tools.rules.machines.vnets import vnet_of
from tools.values.machine import Machine
from tools.values.manifest import Part
from tools.values.trouble import WorldProblem

if TYPE_CHECKING:
    from tools.clients.proxmox_acting import Acting

LOOK_SECONDS_MAX = 60.0
ADDRESS_LOOKS_MAX = 150
ADDRESS_LOOK_SECONDS = 2.0
"""A guest has five minutes to say its address, as Terraform's provider gives it (`agent.timeout` of the module)."""


def make_true(work: Work) -> dict[str, tuple[str, ...]]:
    """Waits until nothing works on the part's machines; starts and restarts those of which the approval covers it; raises WorldProblem that
    names what is not as approved. The addresses of those that were restarted, by name."""
    settings, changes = work.world.settings_of(work.part), work.part_plan.changes
    if settings.proxmox_endpoint and vnet_of(work.part) and work.kind == "remove":
        vnets.assert_gone(settings, work.part)
    if not settings.proxmox_endpoint or not work.part.machines:
        return {}
    cluster = _acting(settings)
    if work.kind == "remove":
        _assert_gone(work, cluster)
        return {}
    if is_sealed(settings, work.part):
        return {}
    seconds = _seconds_since(work)
    fresh: dict[str, tuple[str, ...]] = {}
    for machine in work.part.machines:
        cluster.wait_idle(machine.vm_id)
    for machine, found in _here(cluster, work.part).items():
        if found is None or not likeness.may_restart(changes, machine.name):
            continue
        off = likeness.is_off(found)
        if not off and not likeness.wants_restart(changes, found, machine.name, seconds):
            continue
        if not off:
            why = ", ".join(found.waiting) or "its network"
            work.say(f"{machine.name} is restarted: what is new ({why}) counts only then.")
            cluster.shut_down(found.node, machine.vm_id)
        else:
            work.say(f"{machine.name} is switched off, and is started.")
        cluster.start(found.node, machine.vm_id)
        fresh[machine.name] = _addresses(work, cluster, found.node, machine)
    assert_true(cluster, work.part)
    return fresh


def _assert_gone(work: Work, cluster: Acting) -> None:
    removed = {change.name for change in work.part_plan.changes if change.action == "delete"}
    rows = {m.name: cluster.find(m.vm_id) for m in work.part.machines if m.name in removed}
    left = [f"{name} (VM {row['vmid']} on {row['node']})" for name, row in rows.items() if row and row.get("name") == name]
    if left:
        raise WorldProblem(
            "A machine is still there.",
            f"{', '.join(left)} was to be removed, and the cluster still has it.",
            "Look at its tasks in Proxmox, then say retry. What stays can be removed with `qm destroy` on its node.",
            retryable=True,
        )


def wait_idle(work: Work) -> None:
    """What a killed Terraform had begun in the cluster goes on there: nothing is planned before it has ended."""
    settings = work.world.settings_of(work.part)
    if settings.proxmox_endpoint:
        for machine in work.part.machines:
            _acting(settings).wait_idle(machine.vm_id)


def assert_true(cluster: Acting, part: Part) -> tuple[str, ...]:
    """A sentence a machine that is as approved. Raises WorldProblem."""
    found = _here(cluster, part)
    firewalls = {machine: _firewall(cluster, machine, one) for machine, one in found.items() if one and machine.rules}
    wrong = {
        machine: (*likeness.differences(machine, one), *(firewall.differences(machine, firewalls[machine]) if machine in firewalls else ()))
        for machine, one in found.items()
    }
    if any(wrong.values()):
        moves = dict.fromkeys(filter(None, (likeness.way_out(machine, found[machine]) for machine in wrong if wrong[machine])))
        raise WorldProblem(
            "A machine is not as it was approved.",
            " ".join(sentence for sentences in wrong.values() for sentence in sentences),
            " ".join(moves) or "Say retry: what is missing of the approved plan is planned and made again.",
            retryable=True,
        )
    seen = tuple(likeness.seen_by_cluster(machine, one) for machine, one in found.items() if one)
    return (*seen, *map(firewall.as_approved, firewalls))


def _firewall(cluster: Acting, machine: Machine, found: Here) -> Firewall:
    path = ("nodes", found.node, "qemu", str(machine.vm_id), "firewall")
    return firewall.firewall_of(cluster.read(*path, "options"), cluster.read(*path, "rules"), found.left_out)


def verify(context: PartContext, say: Say) -> tuple[str, ...]:
    """The cluster is asked, and each machine what it sees of itself. The commands of the guide come besides."""
    if context.settings.proxmox_endpoint and vnet_of(context.part):
        told = vnets.verify(context.settings, context.part)
        say(" ".join(told))
        return told
    if not context.settings.proxmox_endpoint or not context.part.machines:
        return ()
    if becomes_template(context.part):
        return _assert_template(_acting(context.settings), context.part, say)
    seen = assert_true(_acting(context.settings), context.part)
    real = {one.name for one in context.machines if not one.body}
    asked = [machine for machine in context.part.machines if machine.name in real]
    itself = each(lambda machine: _ask(context, machine), asked)
    for sentence in (*seen, *itself):
        say(sentence)
    return (*seen, *itself)


def _assert_template(cluster: Acting, part: Part, say: Say) -> tuple[str, ...]:
    """It does not run, so nothing of it is asked but the cluster."""
    sentences = []
    for machine, found in _here(cluster, part).items():
        config = cluster.read_of(machine.vm_id, "config") if found else None
        if wrong := likeness.template_differences(machine, found, config[1] if config else None):
            raise WorldProblem(
                "A template is not as it was approved.", " ".join(wrong), "Look at it in Proxmox, then say retry.", retryable=True
            )
        assert found is not None
        sentences.append(likeness.seen_as_template(machine, found))
        say(sentences[-1])
    return tuple(sentences)


def switched_off(settings: Settings, part: Part) -> tuple[str, ...]:
    """A sentence each. A template is off for good. Raises WorldProblem when the cluster is away."""
    if not settings.proxmox_endpoint or not part.machines or becomes_template(part):
        return ()
    from tools.clients.proxmox import Proxmox

    return likeness.switched_off(part.machines, Proxmox(settings).read("cluster", "resources", type="vm"))


def _ask(context: PartContext, machine: Machine) -> str:
    answer = ssh.run_on(context.run_folder, machine.name, likeness.LOOK, LOOK_SECONDS_MAX)
    found = likeness.itself(answer.output)
    if found is None:
        return f"{machine.name} did not say what it sees of its processors, memory and disk, so that is not verified."
    if wrong := likeness.says_otherwise(machine, found):
        raise WorldProblem(
            "A machine sees itself otherwise than it was approved.",
            " ".join(wrong),
            "Log in and look why, then say retry: it is looked at again.",
            retryable=True,
        )
    return likeness.seen_itself(machine, found)


def _here(cluster: Acting, part: Part) -> dict[Machine, Here | None]:
    answers = together({machine.name: partial(cluster.here, machine.vm_id) for machine in part.machines})
    for answer in answers.values():
        if isinstance(answer, WorldProblem):
            raise answer
    return {machine: answer for machine in part.machines if not isinstance(answer := answers[machine.name], WorldProblem)}


def _addresses(work: Work, cluster: Acting, node: str, machine: Machine) -> tuple[str, ...]:
    for _ in range(ADDRESS_LOOKS_MAX):
        if found := cluster.addresses(node, machine.vm_id):
            return found
        if work.cancelled():
            break
        time.sleep(ADDRESS_LOOK_SECONDS)
    work.say(f"{machine.name} was started and has not said its address.")
    return ()


def _seconds_since(work: Work) -> float:
    """Since Terraform was begun for this plan."""
    places = (place for place in begun(work.part_folder) if place.name.startswith(work.part_plan.plan_sha256[:16]))
    return max(map(detached.begun_seconds_ago, places), default=0.0)


def _acting(settings: Settings) -> Acting:
    from tools.clients.proxmox_acting import Acting

    return Acting(settings)
