"""Acts on single machines of a Proxmox VE cluster, with the token that may: waits for what works on one, starts it, restarts it. Whether
that may be done is decided by the caller."""

from __future__ import annotations

import time

import requests
from proxmoxer import ResourceException
from pydantic import SecretStr

from tools.clients.connections import ProxmoxConnection
from tools.clients.proxmox import Proxmox
from tools.rules.machines.likeness import Here, here
from tools.rules.names.foreign import theirs
from tools.rules.names.scanned import rows
from tools.values.trouble import WorldProblem
from tools.values.value import Json

TASK_LOOKS_MAX = 600
TASK_LOOK_SECONDS = 0.5
SHUTDOWN_SECONDS = 180
"""After which it is switched off, as Proxmox itself has it for a shutdown without a time of its own."""


class Acting(Proxmox):
    def _token(self, settings: ProxmoxConnection) -> SecretStr:
        return settings.proxmox_api_token

    def here(self, vm_id: int) -> Here | None:
        """As it is now; None when it is nowhere."""
        found = self.read_of(vm_id, "status", "current")
        waits = self.read_of(vm_id, "pending") if found else None
        return here(vm_id, str(waits[0]["node"]), found[1], waits[1]) if found and waits else None

    def wait_unlocked(self, vm_id: int) -> bool:
        """A clone goes on in the cluster after its client has died, and may move to another node at its end. False when the machine is gone
        in the end."""
        for _ in range(TASK_LOOKS_MAX):
            found = self.read_of(vm_id, "status", "current")
            if found is None:
                return False
            if not found[1].get("lock"):
                return True
            time.sleep(TASK_LOOK_SECONDS)
        raise WorldProblem(
            "A machine stays locked.",
            f"VM {vm_id} was locked for {TASK_LOOKS_MAX * TASK_LOOK_SECONDS / 60:.0f} minutes.",
            f"Look at its task on the node; `qm unlock {vm_id}` when nothing works on it any more.",
            retryable=True,
        )

    def wait_idle(self, vm_id: int) -> None:
        """Until no task works on the machine any more. One that a killed Terraform began goes on without it."""
        for _ in range(TASK_LOOKS_MAX):
            row = self.find(vm_id)
            if row is None:
                return
            running = rows(self.read("nodes", str(row["node"]), "tasks", source="active", vmid=vm_id))
            if not any(str(task.get("id")) == str(vm_id) for task in running):
                return
            time.sleep(TASK_LOOK_SECONDS)
        raise WorldProblem(
            "A task of the cluster takes too long.",
            f"Something has worked on VM {vm_id} for {TASK_LOOKS_MAX * TASK_LOOK_SECONDS / 60:.0f} minutes.",
            f"Look at the tasks of VM {vm_id} in Proxmox, then say retry.",
            retryable=True,
        )

    def start(self, node: str, vm_id: int) -> None:
        self._do(node, vm_id, "started", lambda: self._machine(node, vm_id).status.start.post())
        self._wait_for(vm_id, "running")

    def shut_down(self, node: str, vm_id: int) -> None:
        """With the guest's help; after a while without."""
        self._do(node, vm_id, "shut down", lambda: self._machine(node, vm_id).status.shutdown.post(forceStop=1, timeout=SHUTDOWN_SECONDS))
        self._wait_for(vm_id, "stopped")

    def make_template(self, node: str, vm_id: int) -> None:
        """Of a machine that is off."""
        self._do(node, vm_id, "made a template", lambda: self._machine(node, vm_id).template.post())

    def addresses(self, node: str, vm_id: int) -> tuple[str, ...] | None:
        """IPv4, as the guest's agent reports them; None while it does not answer."""
        try:
            answer = self._machine(node, vm_id).agent("network-get-interfaces").get()
        except (ResourceException, requests.RequestException):
            return None
        cards = rows(answer.get("result") if isinstance(answer, dict) else None)
        found = (one for card in cards for one in rows(card.get("ip-addresses")) if one.get("ip-address-type") == "ipv4")
        addresses = (str(one.get("ip-address")) for one in found)
        return tuple(one for one in addresses if not one.startswith(("127.", "169.254.")))

    def _machine(self, node: str, vm_id: int) -> Json:
        return self._api.nodes(node).qemu(vm_id)

    def _do(self, node: str, vm_id: int, what: str, begin: Json) -> None:
        try:
            self._finish(node, begin())
        except (ResourceException, requests.RequestException) as error:
            raise WorldProblem(
                f"A machine could not be {what}.",
                f"VM {vm_id} on {node}: {theirs(str(error))}.",
                f"Look at the tasks of VM {vm_id} in Proxmox, then say retry.",
                retryable=True,
            ) from error

    def _wait_for(self, vm_id: int, status: str) -> None:
        """Of a machine under high availability the task only notes the wish; the manager acts on it a little later."""
        for _ in range(TASK_LOOKS_MAX):
            row = self.find(vm_id)
            found = self.read_of(vm_id, "status", "current") if row else None
            if found and found[1].get("status") == status:
                return
            time.sleep(TASK_LOOK_SECONDS)
        raise WorldProblem(
            f"A machine is not {status}.",
            f"VM {vm_id} was told so {TASK_LOOKS_MAX * TASK_LOOK_SECONDS / 60:.0f} minutes ago.",
            f"Look at VM {vm_id} in Proxmox, then say retry.",
            retryable=True,
        )

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
