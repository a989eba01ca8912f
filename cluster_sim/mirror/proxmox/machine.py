"""One VM at its node, and the single steps of its life: each a call or a task waited for. Their order is in `virtual_machine`."""

from __future__ import annotations

from dataclasses import replace

from cluster_sim.mirror.provider import Problem, first, warn
from cluster_sim.mirror.proxmox import devices
from cluster_sim.mirror.proxmox.api import CLONING, CONFIGURING, DELETING, RESIZING, STARTING, Api, ApiProblem, Waiting
from cluster_sim.mirror.proxmox.reading import has_address, ips, refreshed
from cluster_sim.mirror.schema import Values
from cluster_sim.mirror.web import Unreachable

_LOCK_S_MAX = 60.0
_TASK_S_MAX = 1800.0
_STOP_S_MAX = 300.0


class Machine:
    def __init__(self, api: Api, node: str, vm_id: int) -> None:
        self.api, self.node, self.vm_id = api, node, vm_id

    @property
    def path(self) -> str:
        return f"/nodes/{self.node}/qemu/{self.vm_id}"

    def config(self) -> Values:
        return dict(self.api.get(f"{self.path}/config"))

    def configure(self, form: Values) -> None:
        self.api.run("PUT", f"{self.path}/config", "VM configuration", form, seconds_max=_TASK_S_MAX, again=CONFIGURING)

    def status(self) -> Values:
        return dict(self.api.get(f"{self.path}/status/current"))

    def make(self, form: Values, seconds_max: float) -> None:
        self.api.run("POST", f"/nodes/{self.node}/qemu", "VM create", form, seconds_max=seconds_max)

    def clone(self, planned: Values, clone: Values) -> None:
        """Makes the VM on its node. Proxmox clones to another node only what lies on shared storage, wherever it is to lie."""
        source = clone["node_name"] or self.node
        form: Values = {"newid": self.vm_id, "full": devices.flag(clone["full"])}
        for name, value in (("name", planned["name"]), ("description", planned["description"]), ("pool", planned["pool_id"])):
            form |= {name: value} if value else {}
        form |= {"storage": clone["datastore_id"]} if clone["datastore_id"] else {}
        elsewhere = source != self.node
        straight = elsewhere and self._on_shared_storage(source, clone["vm_id"])
        form |= {"target": self.node} if straight else {}
        here = f"/nodes/{source}/qemu/{clone['vm_id']}/clone"
        again = replace(CLONING, attempts=max(clone["retries"] or 1, 1))
        self.api.run("POST", here, "VM clone", form, seconds_max=planned["timeout_clone"], again=again)
        if elsewhere and not straight:
            made = Machine(self.api, source, self.vm_id)
            made.wait_for_unlock()
            storage = {"targetstorage": clone["datastore_id"]} if clone["datastore_id"] else {}
            made.migrate(self.node, planned["timeout_clone"], **storage)

    def _on_shared_storage(self, source: str, template: int) -> bool:
        """All of the template: its cloud-init drive and a CD are on storages too."""
        storages = devices.storages_of(self.api.get(f"/nodes/{source}/qemu/{template}/config"))
        return all(self.api.get(f"/nodes/{source}/storage/{storage}/status").get("shared", 1) for storage in storages)

    def wait_for_unlock(self) -> None:
        for _look in Waiting(self.api.stopping, _LOCK_S_MAX):
            try:
                if not self.status().get("lock"):
                    return
            except ApiProblem as problem:
                if problem.status in (401, 403):
                    raise
        raise Problem(f"VM {self.vm_id} is still locked after {_LOCK_S_MAX:.0f} seconds.")

    def shape_disk(self, disk: Values, config: Values) -> None:
        """Gives a cloned disk the planned options, storage and size; adds it when the template has none there."""
        interface = disk["interface"]
        if interface not in config:
            self.add_disk(disk)
            return
        found = devices.disk_block(interface, config[interface], "", None)
        given = devices.options_of(config[interface])
        bytes_now = devices.size_bytes(given.get("size", "0"))
        if is_smaller(disk, found):
            raise smaller(disk, found)
        if devices.disk_options(found) != devices.disk_options(disk) or "aio" not in given:
            self.configure({interface: devices.disk_text(disk, given[""], bytes_now=bytes_now)})
        if disk["datastore_id"] != found["datastore_id"]:
            self.move_disk(disk)
        if disk["size"] and disk["size"] * devices.GIB > bytes_now:
            self.resize_disk(disk)

    def add_disk(self, disk: Values) -> None:
        self.configure({disk["interface"]: devices.disk_text(disk, f"{disk['datastore_id']}:{disk['size'] or 8}")})

    def move_disk(self, disk: Values) -> None:
        form = {"disk": disk["interface"], "storage": disk["datastore_id"], "delete": 1}
        self.api.run("POST", f"{self.path}/move_disk", "VM disk move", form, seconds_max=_TASK_S_MAX)

    def resize_disk(self, disk: Values) -> None:
        form = {"disk": disk["interface"], "size": disk["size"] * devices.GIB}
        self.api.run("PUT", f"{self.path}/resize", "VM disk resize", form, seconds_max=_TASK_S_MAX, again=RESIZING)

    def start(self, seconds_max: float) -> None:
        form = {"timeout": seconds_max}
        self.api.run("POST", f"{self.path}/status/start", "VM start", form, seconds_max=seconds_max, again=STARTING)
        self.wait_until("running", seconds_max)

    def stop(self, seconds_max: float) -> None:
        self.api.run("POST", f"{self.path}/status/stop", "VM stop", {}, seconds_max=seconds_max)
        self.wait_until("stopped", seconds_max)

    def shut_down(self, seconds_max: float) -> None:
        form = {"forceStop": 1, "timeout": seconds_max}
        self.api.run("POST", f"{self.path}/status/shutdown", "VM shutdown", form, seconds_max=seconds_max)
        self.wait_until("stopped", seconds_max)

    def power_off(self, settings: Values) -> None:
        """With the guest's help where it has an agent, without where nobody would hear."""
        if self._has_agent():
            self.shut_down(settings["timeout_shutdown_vm"] or _TASK_S_MAX)
        else:
            self.stop(settings["timeout_stop_vm"] or _STOP_S_MAX)

    def restart(self, settings: Values) -> None:
        if not self._has_agent():
            self.power_off(settings)
            self.start(settings["timeout_start_vm"])
            return
        seconds_max = settings["timeout_reboot"]
        self._wait_for_agent(seconds_max)
        self.api.run("POST", f"{self.path}/status/reboot", "VM reboot", {"timeout": seconds_max}, seconds_max=seconds_max)
        self.wait_until("running", seconds_max)

    def _has_agent(self) -> bool:
        return bool(devices.agent_block(str(self.config().get("agent", "0")), {})["enabled"])

    def _wait_for_agent(self, seconds_max: float) -> None:
        for _look in Waiting(self.api.stopping, seconds_max):
            try:
                self.api.post(f"{self.path}/agent/ping")
                return
            except ApiProblem as problem:
                if problem.status not in (400, 500):
                    raise
        raise Problem(f"The guest agent of VM {self.vm_id} does not answer after {seconds_max:.0f} seconds.")

    def wait_until(self, status: str, seconds_max: float) -> None:
        for _look in Waiting(self.api.stopping, seconds_max):
            if self.status()["status"] == status:
                return
        raise Problem(f"VM {self.vm_id} is not {status} after {seconds_max:.0f} seconds.")

    def migrate(self, target: str, seconds_max: float, **more: object) -> None:
        form: Values = {"target": target, "with-local-disks": 1} | more
        self.api.run("POST", f"{self.path}/migrate", "VM migration", form, seconds_max=seconds_max)
        self.node = target

    def move_pool(self, old: str | None, new: str | None) -> None:
        if old:
            self.api.put("/pools", {"poolid": old, "vms": self.vm_id, "delete": 1})
        if new:
            self.api.put("/pools", {"poolid": new, "vms": self.vm_id, "allow-move": 1})

    def destroy(self, state: Values) -> None:
        query = {
            "destroy-unreferenced-disks": devices.flag(state["delete_unreferenced_disks_on_destroy"]),
            "purge": devices.flag(state["purge_on_destroy"]),
        }
        try:
            self.api.run("DELETE", f"{self.path}/", "VM deletion", query, seconds_max=_TASK_S_MAX, again=DELETING)
        except ApiProblem as problem:
            if problem.gone:
                return
            raise
        try:
            self.status()
        except (ApiProblem, Unreachable):
            # As the released provider has it, any error means that the VM is gone: a token whose right came from the VM's pool
            # may not even ask any more.
            return
        # The released provider would ask for half an hour and then forget the VM all the same. To say so serves better.
        raise Problem(f"failed to delete VM {self.vm_id}: it still answers after its deletion.")

    # --- reading --------------------------------------------------------------------------------------------------------------

    def read(self, state: Values) -> Values | None:
        found = next((vm for vm in self.api.get("/cluster/resources", type="vm") if vm.get("vmid") == self.vm_id), None)
        if found is None:
            return None
        self.node = found["node"]
        try:
            config = self.config()
            status = self.status()
        except ApiProblem as problem:
            if problem.gone:
                return None
            raise
        formats = {disk["interface"]: self._format(config, disk["interface"]) for disk in state["disk"] if disk["interface"] in config}
        pool = self._pool()
        new = refreshed(state, self.vm_id, self.node, config, status, formats) | {"pool_id": pool}
        return new | self._addresses(new, config)

    def _format(self, config: Values, interface: str) -> str:
        given = devices.options_of(config[interface])
        if "format" in given:
            return given["format"]
        volume = given.get("", given.get("file", ""))
        answer = self.api.get(f"/nodes/{self.node}/storage/{devices.storage_of(volume)}/content/{volume}")
        return str(answer.get("format", "raw"))

    def _pool(self) -> str | None:
        for pool in self.api.get("/pools"):
            for detail in self.api.get("/pools", poolid=pool["poolid"]):
                if any(member.get("vmid") == self.vm_id for member in detail.get("members", ())):
                    return str(pool["poolid"])
        return None

    def _addresses(self, state: Values, config: Values) -> Values:
        agent = first(state["agent"])
        if not (agent and agent["enabled"] and state["started"]):
            macs = [device["mac_address"] for device in state["network_device"] or []]
            return {"ipv4_addresses": [], "ipv6_addresses": [], "mac_addresses": macs, "network_interface_names": []}
        interfaces = self._interfaces(agent)
        return {
            "ipv4_addresses": [ips(interface, "ipv4") for interface in interfaces],
            "ipv6_addresses": [ips(interface, "ipv6") for interface in interfaces],
            "mac_addresses": [str(interface.get("hardware-address", "")).upper() for interface in interfaces],
            "network_interface_names": [str(interface["name"]) for interface in interfaces],
        }

    def _interfaces(self, agent: Values) -> list[Values]:
        interfaces: list[Values] = []
        for _look in Waiting(self.api.stopping, devices.seconds_of(agent["timeout"])):
            try:
                answer = self.api.get(f"{self.path}/agent/network-get-interfaces")
            except ApiProblem as problem:
                if problem.status == 403:
                    break
                continue
            interfaces = [dict(item) for item in (answer or {}).get("result", ())]
            if has_address(interfaces, first(agent["wait_for_ip"]) or {}):
                return interfaces
        # As in the released provider, a guest without an address is no failure.
        warn(
            f"The guest agent of VM {self.vm_id} reported no address within {agent['timeout']}.",
            "Either the agent does not run in the guest, or the guest got no address on its network. Look at its console, then plan again.",
        )
        return interfaces


def is_smaller(disk: Values, found: Values) -> bool:
    return bool(disk["size"]) and disk["size"] < found["size"]


def smaller(disk: Values, found: Values) -> Problem:
    return Problem(
        f"disk resize failure: requested size ({disk['size']}G) is lower than current size ({found['size']}G)",
        f"The disk is {disk['interface']}. A disk can grow but not shrink.",
    )
