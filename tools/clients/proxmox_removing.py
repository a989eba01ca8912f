"""Removes one machine from a Proxmox VE cluster, or what is written down of SDN: what a killed Terraform left half made, or what no record
is left of. Whether it is ours to remove is decided by the caller."""

from __future__ import annotations

import requests
from proxmoxer import ResourceException

from tools.clients.proxmox_acting import Acting
from tools.rules.names.foreign import theirs
from tools.values.trouble import WorldProblem


class Removing(Acting):
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

    def take_out_of_sdn(self, *path: str) -> None:
        """What was written down and never applied: nothing has to be applied afterwards."""
        try:
            self._api.cluster.sdn(list(path)).delete()
        except (ResourceException, requests.RequestException) as error:
            raise WorldProblem(
                "A half-made network could not be taken out.",
                f"{'/'.join(path)}: {theirs(str(error))}.",
                "Take it out in Proxmox VE (Datacenter, SDN), then say retry.",
                retryable=True,
            ) from error
