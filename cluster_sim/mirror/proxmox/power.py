"""A VM's power during one update: taken away once for all that needs it, and given back at the end."""

from __future__ import annotations

from cluster_sim.mirror.provider import Problem, warn
from cluster_sim.mirror.proxmox.machine import Machine
from cluster_sim.mirror.schema import Values


class NotWhileRunning(Problem):
    """The VM has to be off for it, and may not be."""


class Power:
    def __init__(self, machine: Machine, prior: Values, planned: Values) -> None:
        self._machine, self._prior, self._planned = machine, prior, planned
        self._taken = self._warned = False

    def off(self) -> bool:
        """Whether the VM is off now. It stays on where `reboot_after_update` forbids it."""
        if self._taken or self._machine.status()["status"] == "stopped":
            return True
        if not self._planned["reboot_after_update"]:
            self._warn()
            return False
        self._machine.power_off(self._planned)
        self._taken = True
        return True

    def off_for(self, what: str) -> None:
        if not self.off():
            raise self.refusal(what)

    @staticmethod
    def refusal(what: str) -> NotWhileRunning:
        return NotWhileRunning(
            f"cannot {what} while the VM is running, and reboot_after_update = false forbids to shut it down.",
            "Shut the VM down, or set reboot_after_update to true; then apply again.",
        )

    def settle(self, restart: bool) -> None:
        """As it is wanted. `restart`: something still waits for one, so a VM that was on all the time gets it."""
        running = self._machine.status()["status"] != "stopped"
        if not self._planned["started"]:
            if running and self._prior["started"]:
                self._machine.power_off(self._planned)
        elif not running:
            self._machine.start(self._planned["timeout_start_vm"])
        elif restart and not self._planned["reboot_after_update"]:
            self._warn()
        elif restart and not self._taken:
            self._machine.restart(self._planned)

    def _warn(self) -> None:
        if not self._warned:
            warn("a reboot is required for this change, and reboot_after_update = false leaves it to you.")
        self._warned = True
