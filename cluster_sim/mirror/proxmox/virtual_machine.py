"""`proxmox_virtual_environment_vm`: the calls of its life, in the order recorded from the released provider. It makes a VM by cloning only.

The recording is of version 0.111.1, 2026-11-21. What the strings in a VM's configuration mean is in `devices`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_sim.mirror import planning
from cluster_sim.mirror.provider import Problem, Resource, first
from cluster_sim.mirror.proxmox import devices, schema
from cluster_sim.mirror.proxmox.api import Api, ApiProblem, Waiting
from cluster_sim.mirror.schema import Values
from cluster_sim.mirror.values import UNKNOWN

_LOCK_S_MAX = 60.0
_CLOUD_INIT_INTERFACE = "ide2"
_CPU_UNITS_DEFAULT = 1024
_FOUND_WHEN_READ = ("ipv4_addresses", "ipv6_addresses", "mac_addresses", "network_interface_names")


class VirtualMachine(Resource):
    schema = schema.VIRTUAL_MACHINE
    legacy = True

    def __init__(self, api: Callable[[], Api]) -> None:
        self._api = api

    def validate(self, config: Values) -> list[Problem]:
        problems = []
        for index, disk in enumerate(config["disk"] or []):
            interface = disk["interface"]
            if isinstance(interface, str) and not devices.DISK_INTERFACE.match(interface):
                problems.append(
                    Problem(
                        f"one of the interfaces must be of the form scsi0, virtio0, sata0 or ide0, but it is {interface!r}.",
                        path=("disk", index, "interface"),
                    )
                )
        return problems

    def adjust(self, planned: Values, config: Values, prior: Values | None) -> Values:
        if prior is None:
            return planned
        # Without a drive's or a tag's own order there is nothing to change.
        if isinstance(planned["tags"], list) and sorted(planned["tags"]) == sorted(prior["tags"] or []):
            planned["tags"] = prior["tags"]
        if planned["network_device"] != prior["network_device"] or planned["started"] != prior["started"]:
            planned |= dict.fromkeys(_FOUND_WHEN_READ, UNKNOWN)
        return planned

    def adopt(self, identifier: str) -> Values:
        node, _, vm_id = identifier.partition("/")
        if not node or not vm_id.isdigit():
            raise Problem(f"A VM is imported as node/id, for example pve1/101, but this is {identifier!r}.")
        machine = _Machine(self._api(), node, int(vm_id))
        config = machine.config()
        asked: Values = {"node_name": node, "vm_id": machine.vm_id, "id": vm_id, "cpu": [{}], "memory": [{}]}
        asked["agent"] = [{}] if "agent" in config else []
        asked["disk"] = [{"interface": name} for name in sorted(config) if _is_disk(name, config[name])]
        asked["network_device"] = [{} for name in config if name.startswith("net") and name[3:].isdigit()]
        if devices.cloud_init_drive(config, machine.vm_id):
            addresses = [name for name in config if name.startswith("ipconfig")]
            account = [{"keys": []}] if "ciuser" in config or "sshkeys" in config else []
            asked["initialization"] = [{"ip_config": [{"ipv4": [{}]}] * len(addresses), "user_account": account}]
        return dict(planning.without_unknowns(planning.plan(self.schema, asked, None)))

    # --- create ---------------------------------------------------------------------------------------------------------------

    def create(self, planned: Values, config: Values) -> Values:
        clone = first(planned["clone"])
        if clone is None:
            raise Problem(
                "The stand-in provider makes a VM only by cloning a template.",
                "Add a clone block with vm_id, or run this configuration with the released provider.",
            )
        api = self._api()
        vm_id = planned["vm_id"] or int(api.get("/cluster/nextid"))
        machine = _Machine(api, planned["node_name"], vm_id)
        made = planned | {"vm_id": vm_id, "id": str(vm_id)}
        machine.clone(planned, clone)
        try:
            machine.wait_for_unlock()
            _configure_clone(machine, planned)
            for disk in planned["disk"]:
                machine.shape_disk(disk, machine.config())
            if planned["template"]:
                api.run("POST", f"{machine.path}/template", "VM template", {}, seconds_max=planned["timeout_create"])
            elif planned["started"] and machine.status()["status"] != "running":
                machine.start(planned["timeout_start_vm"])
            return machine.read(planning.without_unknowns(made)) or made
        except Problem as problem:
            # The clone exists: Terraform must remember it, or nobody would remove it.
            problem.state = planning.without_unknowns(made)
            raise

    # --- read -----------------------------------------------------------------------------------------------------------------

    def read(self, state: Values) -> Values | None:
        return _Machine(self._api(), state["node_name"], int(state["vm_id"] or state["id"])).read(state)

    # --- update ---------------------------------------------------------------------------------------------------------------

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        api = self._api()
        machine = _Machine(api, prior["node_name"], int(prior["vm_id"]))
        _refuse_smaller_disks(prior, planned)
        if planned["pool_id"] != prior["pool_id"]:
            machine.move_pool(prior["pool_id"], planned["pool_id"])
        if planned["node_name"] != prior["node_name"]:
            machine.migrate(planned["node_name"], planned["timeout_migrate"])
        _update_config(machine, prior, planned)
        _update_disks(machine, prior, planned)
        settled = planning.without_unknowns(planned)
        # The released provider reads twice here: once after the disks, once at the end.
        machine.read(settled)
        return machine.read(settled) or settled

    # --- destroy --------------------------------------------------------------------------------------------------------------

    def delete(self, state: Values) -> None:
        machine = _Machine(self._api(), state["node_name"], int(state["vm_id"] or state["id"]))
        try:
            running = machine.status()["status"] == "running"
        except ApiProblem as problem:
            if problem.gone:
                return
            raise
        if running and state["stop_on_destroy"]:
            machine.stop(state["timeout_stop_vm"] or 300)
        elif running:
            machine.config()
            machine.shut_down(state["timeout_shutdown_vm"] or 1800)
        machine.destroy(state)


class _Machine:
    """One VM at its node, and the single steps of its life."""

    def __init__(self, api: Api, node: str, vm_id: int) -> None:
        self.api, self.node, self.vm_id = api, node, vm_id

    @property
    def path(self) -> str:
        return f"/nodes/{self.node}/qemu/{self.vm_id}"

    def config(self) -> Values:
        return dict(self.api.get(f"{self.path}/config"))

    def configure(self, form: Values) -> None:
        self.api.put(f"{self.path}/config", form)

    def status(self) -> Values:
        return dict(self.api.get(f"{self.path}/status/current"))

    def clone(self, planned: Values, clone: Values) -> None:
        source = clone["node_name"] or self.node
        form: Values = {"newid": self.vm_id, "full": devices.flag(clone["full"])}
        for name, value in (("name", planned["name"]), ("description", planned["description"]), ("pool", planned["pool_id"])):
            form |= {name: value} if value else {}
        form |= {"storage": clone["datastore_id"]} if clone["datastore_id"] else {}
        shared = source == self.node or self._on_shared_storage(source, clone)
        if source != self.node and shared:
            form["target"] = self.node
        here = f"/nodes/{source}/qemu/{clone['vm_id']}/clone"
        self.api.run("POST", here, "VM clone", form, seconds_max=planned["timeout_clone"], attempts=max(clone["retries"] or 1, 1))
        if not shared:
            # Proxmox does not clone local disks to another node: clone there, then migrate.
            target, self.node = self.node, source
            self.wait_for_unlock()
            local = {"with-local-disks": 1, "targetstorage": clone["datastore_id"] or planned["disk"][0]["datastore_id"]}
            self.migrate(target, planned["timeout_migrate"], **local)

    def _on_shared_storage(self, source: str, clone: Values) -> bool:
        config = self.api.get(f"/nodes/{source}/qemu/{clone['vm_id']}/config")
        storages = (
            {clone["datastore_id"]} if clone["datastore_id"] else {_storage(v) for n, v in config.items() if _is_disk(n, v)}
        )
        return all(self.api.get(f"/nodes/{source}/storage/{storage}/status").get("shared", 1) for storage in sorted(storages))

    def wait_for_unlock(self) -> None:
        for _look in Waiting(self.api.stopping, _LOCK_S_MAX):
            try:
                if not self.status().get("lock"):
                    return
            except ApiProblem:
                continue
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
        if _is_smaller(disk, found):
            raise _smaller(disk, found)
        if devices.disk_options(found) != devices.disk_options(disk) or "aio" not in given:
            self.configure({interface: devices.disk_text(disk, given[""], bytes_now=bytes_now)})
        if disk["datastore_id"] != found["datastore_id"]:
            self.move_disk(disk)
        if disk["size"] and disk["size"] > found["size"]:
            self.resize_disk(disk)

    def add_disk(self, disk: Values) -> None:
        form = {disk["interface"]: devices.disk_text(disk, f"{disk['datastore_id']}:{disk['size'] or 8}")}
        self.api.run("PUT", f"{self.path}/config", "disk creation", form, seconds_max=1800, attempts=1)

    def move_disk(self, disk: Values) -> None:
        form = {"disk": disk["interface"], "storage": disk["datastore_id"], "delete": 1}
        self.api.run("POST", f"{self.path}/move_disk", "VM disk move", form, seconds_max=1800)

    def resize_disk(self, disk: Values) -> None:
        form = {"disk": disk["interface"], "size": disk["size"] * devices.GIB}
        self.api.run("PUT", f"{self.path}/resize", "VM disk resize", form, seconds_max=1800)

    def start(self, seconds_max: float) -> None:
        self.api.run("POST", f"{self.path}/status/start", "VM start", {"timeout": seconds_max}, seconds_max=seconds_max)
        self.wait_until("running", seconds_max)

    def stop(self, seconds_max: float) -> None:
        self.api.run("POST", f"{self.path}/status/stop", "VM stop", {}, seconds_max=seconds_max)
        self.wait_until("stopped", seconds_max)

    def shut_down(self, seconds_max: float) -> None:
        form = {"forceStop": 1, "timeout": seconds_max}
        self.api.run("POST", f"{self.path}/status/shutdown", "VM shutdown", form, seconds_max=seconds_max)
        self.wait_until("stopped", seconds_max)

    def reboot(self, seconds_max: float) -> None:
        self.api.run("POST", f"{self.path}/status/reboot", "VM reboot", {"timeout": seconds_max}, seconds_max=seconds_max)
        self.wait_until("running", seconds_max)

    def wait_until(self, status: str, seconds_max: float) -> None:
        for _look in Waiting(self.api.stopping, seconds_max):
            if self.status()["status"] == status:
                return
        raise Problem(f"VM {self.vm_id} is not {status} after {seconds_max:.0f} seconds.")

    def migrate(self, target: str, seconds_max: float, **more: object) -> None:
        form = {"target": target, "with-local-disks": 1, "online": devices.flag(self.status()["status"] == "running")} | more
        self.api.run("POST", f"{self.path}/migrate", "VM migration", form, seconds_max=seconds_max)
        self.node = target

    def move_pool(self, old: str | None, new: str | None) -> None:
        if old:
            self.api.put("/pools", {"poolid": old, "vms": self.vm_id, "delete": 1})
        if new:
            self.api.put("/pools", {"poolid": new, "vms": self.vm_id})

    def destroy(self, state: Values) -> None:
        query = {
            "destroy-unreferenced-disks": devices.flag(state["delete_unreferenced_disks_on_destroy"]),
            "purge": devices.flag(state["purge_on_destroy"]),
        }
        self.api.run("DELETE", f"{self.path}/", "VM deletion", query, seconds_max=1800)
        try:
            self.status()
        except ApiProblem as problem:
            if problem.gone:
                return
            raise
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
        formats = {
            disk["interface"]: self._format(config, disk["interface"]) for disk in state["disk"] if disk["interface"] in config
        }
        pool = self._pool()
        new = refreshed(state, self.vm_id, self.node, config, status, formats) | {"pool_id": pool}
        return new | self._addresses(new, config)

    def _format(self, config: Values, interface: str) -> str:
        given = devices.options_of(config[interface])
        if "format" in given:
            return given["format"]
        volume = given.get("", given.get("file", ""))
        answer = self.api.get(f"/nodes/{self.node}/storage/{_storage(volume)}/content/{volume}")
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
            "ipv4_addresses": [_ips(interface, "ipv4") for interface in interfaces],
            "ipv6_addresses": [_ips(interface, "ipv6") for interface in interfaces],
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
            interfaces = [dict(item) for item in answer.get("result", ())]
            if _has_address(interfaces, first(agent["wait_for_ip"]) or {}):
                break
        # A guest without an address is no failure: the released provider warns and goes on as well.
        return interfaces


def _configure_clone(machine: _Machine, planned: Values) -> None:
    config = machine.config()
    initialization = first(planned["initialization"])
    if initialization:
        interface = initialization["interface"] or _CLOUD_INIT_INTERFACE
        there = devices.cloud_init_drive(config, machine.vm_id)
        old = [interface] + ([there[0]] if there and there[0] != interface else [])
        machine.configure({"delete": ",".join(old)})
    form = _hardware(planned) | _cloud_init(initialization, with_drive=True)
    form["delete"] = ",".join(_absent(planned))
    if planned["scsi_hardware"] != schema.VIRTUAL_MACHINE.members["scsi_hardware"].default:  # type: ignore[union-attr]
        form["scsihw"] = planned["scsi_hardware"]
    machine.configure(form)


def _hardware(planned: Values) -> Values:
    form: Values = {"onboot": devices.flag(planned["on_boot"])}
    form |= _cpu(first(planned["cpu"])) | _memory(first(planned["memory"])) | _named(planned)
    if agent := first(planned["agent"]):
        form["agent"] = devices.agent_text(agent)
    for index, device in enumerate(planned["network_device"] or []):
        form[f"net{index}"] = devices.network_text(device)
    for index, device in enumerate(planned["serial_device"] or []):
        form[f"serial{index}"] = device["device"]
    return form


def _named(planned: Values) -> Values:
    """What has one value of its own, sent when it is not Proxmox's default anyway."""
    form: Values = {}
    if planned["tags"]:
        form["tags"] = ";".join(planned["tags"])
    if system := first(planned["operating_system"]):
        form["ostype"] = system["type"]
    if startup := first(planned["startup"]):
        form["startup"] = devices.startup_text(startup)
    if vga := first(planned["vga"]):
        form["vga"] = devices.vga_text(vga)
    if planned["boot_order"]:
        form["boot"] = f"order={';'.join(planned['boot_order'])}"
    if planned["hotplug"]:
        form["hotplug"] = planned["hotplug"]
    for name, parameter, default in _SCALARS:
        if planned[name] != default:
            form[parameter] = devices.flag(planned[name]) if isinstance(planned[name], bool) else planned[name]
    return form


_SCALARS: tuple[tuple[str, str, object], ...] = (
    ("acpi", "acpi", True),
    ("bios", "bios", "seabios"),
    ("keyboard_layout", "keyboard", "en-us"),
    ("kvm_arguments", "args", None),
    ("machine", "machine", None),
    ("protection", "protection", False),
    ("tablet_device", "tablet", True),
    ("hook_script_file_id", "hookscript", None),
)


def _cpu(cpu: Values | None) -> Values:
    if cpu is None:
        return {}
    form: Values = {
        "cores": cpu["cores"],
        "sockets": cpu["sockets"],
        "numa": devices.flag(cpu["numa"]),
        "cpu": devices.cpu_text(cpu),
    }
    for name, parameter in (("affinity", "affinity"), ("hotplugged", "vcpus"), ("limit", "cpulimit"), ("units", "cpuunits")):
        form |= {parameter: cpu[name]} if cpu[name] else {}
    return form


def _memory(memory: Values | None) -> Values:
    if memory is None:
        return {}
    form: Values = {"memory": memory["dedicated"], "balloon": memory["floating"]}
    form |= {"shares": memory["shared"]} if memory["shared"] else {}
    return form


def _cloud_init(initialization: Values | None, *, with_drive: bool) -> Values:
    if initialization is None:
        return {}
    form: Values = {}
    if with_drive:
        interface = initialization["interface"] or _CLOUD_INIT_INTERFACE
        kind = f"format={initialization['file_format']}" if initialization["file_format"] else ""
        form[interface] = f"file={initialization['datastore_id']}:cloudinit,{kind}"
    if account := first(initialization["user_account"]):
        form |= {"ciuser": account["username"]} if account["username"] else {}
        form |= {"cipassword": account["password"]} if account["password"] else {}
        form |= {"sshkeys": devices.keys_text(account["keys"])} if account["keys"] else {}
    if dns := first(initialization["dns"]):
        form |= {"searchdomain": dns["domain"]} if dns["domain"] else {}
        form |= {"nameserver": " ".join(dns["servers"])} if dns["servers"] else {}
    for index, ip_config in enumerate(initialization["ip_config"] or []):
        form[f"ipconfig{index}"] = devices.address_text(ip_config)
    form |= {"citype": initialization["type"]} if initialization["type"] else {}
    if isinstance(initialization["upgrade"], bool):
        form["ciupgrade"] = devices.flag(initialization["upgrade"])
    return form


def _absent(planned: Values) -> list[str]:
    """A template may bring devices nobody asked for; Proxmox accepts deleting what is not there."""
    networks, serials = len(planned["network_device"] or []), len(planned["serial_device"] or [])
    names = [f"net{index}" for index in range(networks, devices.NETWORKS_MAX)] if networks else []
    return names + ([f"serial{index}" for index in range(serials, devices.SERIALS_MAX)] if serials else [])


def _update_config(machine: _Machine, prior: Values, planned: Values) -> None:
    machine.config()
    form: Values = {"name": planned["name"]} if planned["name"] else {}
    gone: list[str] = []

    def changed(*names: str) -> bool:
        return any(planned[name] != prior[name] for name in names)

    if changed("cpu"):
        form |= _cpu(first(planned["cpu"]))
    if changed("memory"):
        form |= _memory(first(planned["memory"]))
    if changed("agent") and (agent := first(planned["agent"])):
        form["agent"] = devices.agent_text(agent)
    if changed("on_boot"):
        form["onboot"] = devices.flag(planned["on_boot"])
    if changed("tags"):
        form["tags"] = ";".join(planned["tags"] or [])
    if changed("description"):
        form["description"] = planned["description"] or ""
    if changed("network_device"):
        now, before = planned["network_device"] or [], prior["network_device"] or []
        form |= {f"net{index}": devices.network_text(device) for index, device in enumerate(now)}
        gone += [f"net{index}" for index in range(len(now), len(before))]
    if changed("serial_device"):
        now, before = planned["serial_device"] or [], prior["serial_device"] or []
        form |= {f"serial{index}": device["device"] for index, device in enumerate(now)}
        gone += [f"serial{index}" for index in range(len(now), len(before))]
    if changed("operating_system", "startup", "vga", "boot_order", "hotplug", *(name for name, _, _ in _SCALARS)):
        now_named, before_named = _named(planned), _named(prior)
        form |= {name: value for name, value in now_named.items() if before_named.get(name) != value and name != "tags"}
        gone += [name for name in before_named if name not in now_named and name != "tags"]
    if changed("scsi_hardware"):
        form["scsihw"] = planned["scsi_hardware"]
    if changed("initialization"):
        _change_cloud_init(machine, prior, planned, form, gone)
    before_disks = {disk["interface"]: disk for disk in prior["disk"]}
    for disk in planned["disk"]:
        was = before_disks.get(disk["interface"])
        if was and _settled(disk, was) != was:
            form[disk["interface"]] = devices.disk_text(disk, f"{was['datastore_id']}:{was['path_in_datastore']}")
    gone += [interface for interface in before_disks if interface not in {disk["interface"] for disk in planned["disk"]}]
    if gone:
        form["delete"] = ",".join(gone)
    machine.configure(form)
    if changed("initialization"):
        machine.api.put(f"{machine.path}/cloudinit", {})


def _change_cloud_init(machine: _Machine, prior: Values, planned: Values, form: Values, gone: list[str]) -> None:
    now, before = first(planned["initialization"]), first(prior["initialization"])
    place = ("interface", "datastore_id")
    moved = before is None or (now is not None and any(now[name] != before[name] for name in place))
    if before and (now is None or moved):
        machine.configure({"delete": before["interface"] or _CLOUD_INIT_INTERFACE})
    form |= _cloud_init(now, with_drive=moved)
    now_names, before_names = _cloud_init(now, with_drive=False), _cloud_init(before, with_drive=False)
    gone += [name for name in before_names if name not in now_names]


def _update_disks(machine: _Machine, prior: Values, planned: Values) -> None:
    before = {disk["interface"]: disk for disk in prior["disk"]}
    config = machine.config()
    added = [disk for disk in planned["disk"] if disk["interface"] not in before]
    moved = [
        d for d in planned["disk"] if d["interface"] in before and d["datastore_id"] != before[d["interface"]]["datastore_id"]
    ]
    grown = [d for d in planned["disk"] if d["interface"] in before and (d["size"] or 0) > before[d["interface"]]["size"]]
    restart_needed = any(planned[name] != prior[name] for name in ("cpu", "memory", "initialization", "network_device", "agent"))
    running = machine.status()["status"] == "running"
    restart = restart_needed and running and planned["reboot_after_update"] and planned["started"]
    for disk in added:
        machine.add_disk(disk)
    for disk in moved:
        machine.move_disk(disk)
    if restart and grown:
        machine.config()
        machine.shut_down(planned["timeout_shutdown_vm"])
    for disk in grown:
        machine.resize_disk(disk)
        volume = devices.options_of(config[disk["interface"]])[""]
        machine.configure({disk["interface"]: devices.disk_text(disk, volume)})
    if planned["started"] and (not running or (restart and grown)):
        if machine.status()["status"] != "running":
            machine.start(planned["timeout_start_vm"])
    elif running and not planned["started"]:
        machine.shut_down(planned["timeout_shutdown_vm"])
    elif restart:
        machine.reboot(planned["timeout_reboot"])


def _refuse_smaller_disks(prior: Values, planned: Values) -> None:
    before = {disk["interface"]: disk for disk in prior["disk"]}
    for disk in planned["disk"]:
        was = before.get(disk["interface"])
        if was and _is_smaller(disk, was):
            raise _smaller(disk, was)


def _is_smaller(disk: Values, found: Values) -> bool:
    return bool(disk["size"]) and disk["size"] < found["size"]


def _smaller(disk: Values, found: Values) -> Problem:
    return Problem(
        f"disk resize failure: requested size ({disk['size']}G) is lower than current size ({found['size']}G)",
        f"The disk is {disk['interface']}. A disk can grow but not shrink.",
    )


def _settled(disk: Values, was: Values) -> Values:
    """The planned disk, with what the provider finds out itself taken from before."""
    return disk | {name: was[name] for name in ("file_format", "path_in_datastore")}


def refreshed(state: Values, vm_id: int, node: str, config: Values, status: Values, formats: dict[str, str]) -> Values:
    """The state as the VM's configuration has it. Pure.

    As in the released provider, what a clone leaves at its default is not compared with what the template brought.
    """
    new = state | {"id": str(vm_id), "vm_id": vm_id, "node_name": node}
    cloned = bool(state["clone"])
    for name, parameter, default in (
        *_SCALARS,
        ("scsi_hardware", "scsihw", "virtio-scsi-pci"),
        ("description", "description", None),
    ):
        if cloned and state[name] == default:
            continue
        value = config.get(parameter, default)
        new[name] = bool(int(value)) if isinstance(default, bool) else value.rstrip("\n") if isinstance(value, str) else value
    new["name"] = config.get("name")
    new["on_boot"] = bool(int(config.get("onboot", 0)))
    new["template"] = bool(int(config.get("template", 0)))
    new["started"] = state["started"] if new["template"] else status["status"] == "running"
    new["hotplug"] = config.get("hotplug")
    new["boot_order"] = _boot_order(config.get("boot", "")) if state["boot_order"] or "boot" in config else []
    tags = [tag for tag in str(config.get("tags", "")).replace(",", ";").split(";") if tag]
    new["tags"] = state["tags"] if sorted(tags) == sorted(state["tags"] or []) else tags
    new["cpu"] = [_cpu_block(config, block) for block in state["cpu"]]
    new["memory"] = [_memory_block(config, block) for block in state["memory"]]
    new["agent"] = [devices.agent_block(str(config.get("agent", "0")), block) for block in state["agent"]]
    new["disk"] = _disk_blocks(config, state["disk"], formats)
    new["network_device"] = _network_blocks(config, state["network_device"])
    new["initialization"] = _initialization_blocks(config, vm_id, state["initialization"])
    new["operating_system"] = [{"type": config.get("ostype", "other")} for _ in state["operating_system"]]
    new["serial_device"] = [
        {"device": config[name]}
        for name in sorted(config)
        if state["serial_device"] and name.startswith("serial") and name[6:].isdigit()
    ]
    new["startup"] = [devices.startup_block(config.get("startup", "")) for _ in state["startup"]]
    new["vga"] = [devices.vga_block(config["vga"])] if state["vga"] and "vga" in config else []
    return new


def _cpu_block(config: Values, was: Values) -> Values:
    text = devices.options_of(str(config.get("cpu", "qemu64")))
    flags = [flag for flag in text.get("flags", "").split(";") if flag]
    return was | {
        "cores": int(config.get("cores", 1)),
        "sockets": int(config.get("sockets", 1)),
        "numa": bool(int(config.get("numa", 0))),
        "type": text.get("", text.get("cputype", "qemu64")),
        "flags": flags or None,
        "hotplugged": int(config.get("vcpus", 0)),
        "limit": float(config.get("cpulimit", 0)),
        "units": int(config.get("cpuunits", was["units"] or _CPU_UNITS_DEFAULT)),
        "affinity": config.get("affinity"),
    }


def _memory_block(config: Values, was: Values) -> Values:
    return was | {
        "dedicated": int(config.get("memory", 512)),
        "floating": int(config.get("balloon", 0)),
        "shared": int(config.get("shares", 0)),
    }


def _disk_blocks(config: Values, state: list[Values], formats: dict[str, str]) -> list[Values]:
    found = []
    for was in state:
        interface = was["interface"]
        if interface in config:
            found.append(devices.disk_block(interface, config[interface], formats.get(interface, "raw"), was))
    return found


def _network_blocks(config: Values, state: list[Values] | None) -> list[Values]:
    indices = sorted(int(name[3:]) for name in config if name.startswith("net") and name[3:].isdigit())
    before = state or []
    return [devices.network_block(config[f"net{i}"], before[i] if i < len(before) else None) for i in indices]


def _initialization_blocks(config: Values, vm_id: int, state: list[Values]) -> list[Values]:
    drive = devices.cloud_init_drive(config, vm_id)
    if not state or drive is None:
        return []
    was = state[0]
    interface, storage = drive
    addresses = [config[f"ipconfig{index}"] for index in range(devices.NETWORKS_MAX) if f"ipconfig{index}" in config]
    upgrade = config.get("ciupgrade")
    return [
        was
        | {
            "datastore_id": storage,
            "interface": interface if was["interface"] else None,
            "file_format": was["file_format"] or devices.options_of(config[interface]).get("format", "raw"),
            "type": config.get("citype", ""),
            "upgrade": bool(int(upgrade)) if upgrade is not None else (was["upgrade"] if was["upgrade"] is not None else True),
            "meta_data_file_id": was["meta_data_file_id"] or "",
            "network_data_file_id": was["network_data_file_id"] or "",
            "user_data_file_id": was["user_data_file_id"] or "",
            "vendor_data_file_id": was["vendor_data_file_id"] or "",
            "ip_config": [devices.address_block(text) for text in addresses],
            "user_account": [_account_block(config, account) for account in was["user_account"]],
            "dns": [_dns_block(config, dns) for dns in was["dns"]],
        }
    ]


def _account_block(config: Values, was: Values) -> Values:
    keys = devices.keys_of(str(config.get("sshkeys", "")))
    same = [key.strip() for key in was["keys"] or []] == keys
    # A password never comes back from the API, so what was set stands.
    return was | {"username": config.get("ciuser"), "keys": was["keys"] if same else keys}


def _dns_block(config: Values, was: Values) -> Values:
    servers = str(config.get("nameserver", "")).split()
    return was | {"domain": config.get("searchdomain"), "servers": servers or None}


def _boot_order(text: str) -> list[str]:
    return [name for name in text.removeprefix("order=").split(";") if name]


def _is_disk(name: str, value: Any) -> bool:
    return (
        bool(devices.DISK_INTERFACE.match(name))
        and isinstance(value, str)
        and "media=cdrom" not in value
        and "cloudinit" not in value
    )


def _storage(volume: str) -> str:
    return volume.partition(":")[0]


def _ips(interface: Values, kind: str) -> list[str]:
    return [str(ip["ip-address"]) for ip in interface.get("ip-addresses") or () if ip.get("ip-address-type") == kind]


def _has_address(interfaces: list[Values], wanted: Values) -> bool:
    """Whether there is an address that others can reach: neither loopback nor link-local."""
    usable = {
        kind: [ip for i in interfaces for ip in _ips(i, kind) if not ip.startswith(("127.", "169.254.", "fe80:")) and ip != "::1"]
        for kind in ("ipv4", "ipv6")
    }
    if wanted.get("disabled"):
        return True
    kinds = [kind for kind in ("ipv4", "ipv6") if wanted.get(kind)]
    return all(usable[kind] for kind in kinds) if kinds else any(usable.values())
