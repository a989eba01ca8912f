"""Removes one machine from a Proxmox VE cluster: what a killed Terraform left half made. Whether it is ours to remove is decided by the
caller."""

from __future__ import annotations

import time

import requests
from proxmoxer import ResourceException
from pydantic import SecretStr

from tools.clients.connections import ProxmoxConnection
from tools.clients.proxmox import Proxmox
from tools.rules.names.foreign import theirs
from tools.values.trouble import WorldProblem
from tools.values.value import Json

TASK_LOOKS_MAX = 600
TASK_LOOK_SECONDS = 0.5


class Removing(Proxmox):
    def _token(self, settings: ProxmoxConnection) -> SecretStr:
        return settings.proxmox_api_token

    def find(self, vm_id: int) -> dict[str, Json] | None:
        """The machine's line among the cluster's resources: node, name, status."""
        rows = self.read("cluster", "resources", type="vm")
        return next((row for row in rows if row.get("vmid") == vm_id), None)

    def wait_unlocked(self, node: str, vm_id: int) -> bool:
        """A clone goes on in the cluster after its client has died. False when the machine is gone in the end."""
        for _ in range(TASK_LOOKS_MAX):
            if self.find(vm_id) is None:
                return False
            if not self.read("nodes", node, "qemu", str(vm_id), "status", "current").get("lock"):
                return True
            time.sleep(TASK_LOOK_SECONDS)
        raise WorldProblem(
            "A machine stays locked.",
            f"VM {vm_id} on {node} was locked for {TASK_LOOKS_MAX * TASK_LOOK_SECONDS / 60:.0f} minutes.",
            f"Look at its task on the node; `qm unlock {vm_id}` when nothing works on it any more.",
            retryable=True,
        )

    def remove(self, node: str, vm_id: int) -> None:
        """Stopped at once and deleted with its disks."""
        machine = self._api.nodes(node).qemu(vm_id)
        try:
            if self.read("nodes", node, "qemu", str(vm_id), "status", "current").get("status") == "running":
                self._finish(node, machine.status.stop.post())
            self._finish(node, machine.delete(**{"purge": 1, "destroy-unreferenced-disks": 1}))
        except (ResourceException, requests.RequestException) as error:
            raise WorldProblem(
                "A half-made machine could not be removed.",
                f"VM {vm_id} on {node}: {theirs(str(error))}.",
                f"Remove it by hand with `qm destroy {vm_id} --purge`, then say retry.",
            ) from error

    def _finish(self, node: str, task: str) -> None:
        for _ in range(TASK_LOOKS_MAX):
            status = self.read("nodes", node, "tasks", task, "status")
            if status.get("status") == "stopped":
                if status.get("exitstatus") != "OK":
                    raise WorldProblem(
                        "A task of the cluster failed.",
                        f"{task}: {theirs(str(status.get('exitstatus')))}.",
                        "Look at its log on the node, then say retry.",
                    )
                return
            time.sleep(TASK_LOOK_SECONDS)
        raise WorldProblem("A task of the cluster takes too long.", f"{task} is still running.", "Say retry later.", retryable=True)
