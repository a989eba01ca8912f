"""`proxmox_virtual_environment_vm`: the calls of its life, in the order recorded from the released provider.

It makes a VM by cloning, as recorded of version 0.111.1 on 2026-11-21, or with disks that are imported from an image, as its source has it
(vmCreateCustom, read 2026-11-30). What the strings in a VM's configuration mean is in `devices`.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_sim.mirror import planning
from cluster_sim.mirror.provider import Problem, Resource, first
from cluster_sim.mirror.proxmox import devices, forms, restarting, schema
from cluster_sim.mirror.proxmox.api import Api, ApiProblem
from cluster_sim.mirror.proxmox.machine import Machine, is_smaller, smaller
from cluster_sim.mirror.proxmox.power import NotWhileRunning, Power
from cluster_sim.mirror.schema import Values
from cluster_sim.mirror.values import UNKNOWN

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
        # Tags are a set: another order alone is nothing to change.
        if isinstance(planned["tags"], list) and sorted(planned["tags"]) == sorted(prior["tags"] or []):
            planned["tags"] = prior["tags"]
        if planned["network_device"] != prior["network_device"] or planned["started"] != prior["started"]:
            planned |= dict.fromkeys(_FOUND_WHEN_READ, UNKNOWN)
        return planned

    def adopt(self, identifier: str) -> Values:
        node, _, vm_id = identifier.partition("/")
        if not node or not vm_id.isdigit():
            raise Problem(f"A VM is imported as node/id, for example pve1/101, but this is {identifier!r}.")
        machine = Machine(self._api(), node, int(vm_id))
        config = machine.config()
        asked: Values = {"node_name": node, "vm_id": machine.vm_id, "id": vm_id, "cpu": [{}], "memory": [{}]}
        asked["agent"] = [{}] if "agent" in config else []
        asked["disk"] = [{"interface": name} for name in sorted(config) if devices.is_disk(name, config[name])]
        asked["network_device"] = [{} for name in config if name.startswith("net") and name[3:].isdigit()]
        if devices.cloud_init_drive(config, machine.vm_id):
            addresses = [name for name in config if name.startswith("ipconfig")]
            account: list[Values] = [{"keys": []}] if "ciuser" in config or "sshkeys" in config else []
            asked["initialization"] = [{"ip_config": [{"ipv4": [{}]}] * len(addresses), "user_account": account}]
        return dict(planning.without_unknowns(planning.plan(self.schema, asked, None)))

    # --- create ---------------------------------------------------------------------------------------------------------------

    def create(self, planned: Values, config: Values) -> Values:
        clone = first(planned["clone"])
        if clone is None and not any(disk["import_from"] for disk in planned["disk"]):
            raise Problem(
                "The stand-in provider makes a VM only by cloning a template, or of an image that is imported.",
                "Add a clone block with vm_id or a disk with import_from, or run this configuration with the released provider.",
            )
        api = self._api()
        vm_id = planned["vm_id"] or int(api.get("/cluster/nextid"))
        machine = Machine(api, planned["node_name"], vm_id)
        made = planned | {"vm_id": vm_id, "id": str(vm_id)}
        # As with the released provider, nothing is remembered before this is done: a clone that cannot be migrated stays.
        if clone is not None:
            machine.clone(planned, clone)
        else:
            machine.make(forms.custom(planned) | {"vmid": vm_id}, planned["timeout_create"])
        try:
            if clone is not None:
                machine.wait_for_unlock()
                _configure_clone(machine, planned)
                config_before = machine.config()
                for disk in planned["disk"]:
                    machine.shape_disk(disk, config_before)
            else:
                for disk in planned["disk"]:
                    if disk["import_from"]:
                        machine.resize_disk(disk)
            if planned["template"]:
                api.run("POST", f"{machine.path}/template", "VM template", {}, seconds_max=planned["timeout_create"])
            elif planned["started"] and machine.status()["status"] != "running":
                machine.start(planned["timeout_start_vm"])
            settled: Values = planning.without_unknowns(made)
            return machine.read(settled) or settled
        except Problem as problem:
            # The clone exists: Terraform must remember it, or nobody would remove it.
            problem.state = planning.without_unknowns(made)
            raise

    # --- read -----------------------------------------------------------------------------------------------------------------

    def read(self, state: Values) -> Values | None:
        return Machine(self._api(), state["node_name"], int(state["vm_id"] or state["id"])).read(state)

    # --- update ---------------------------------------------------------------------------------------------------------------

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        api = self._api()
        machine = Machine(api, prior["node_name"], int(prior["vm_id"]))
        _refuse_smaller_disks(prior, planned)
        if planned["pool_id"] != prior["pool_id"]:
            machine.move_pool(prior["pool_id"], planned["pool_id"])
        if planned["node_name"] != prior["node_name"]:
            machine.migrate(planned["node_name"], planned["timeout_migrate"], online=1)
        settled = planning.without_unknowns(planned)
        power = Power(machine, prior, planned)
        try:
            _update_config(machine, prior, planned, power)
            _update_disks(machine, prior, planned, power)
        except NotWhileRunning as problem:
            # Some of it is done by now. The next plan has to know what.
            problem.state = machine.read(settled)
            raise
        # The released provider reads twice here: once after the disks, once at the end.
        machine.read(settled)
        return machine.read(settled) or settled

    # --- destroy --------------------------------------------------------------------------------------------------------------

    def delete(self, state: Values) -> None:
        machine = Machine(self._api(), state["node_name"], int(state["vm_id"] or state["id"]))
        try:
            running = machine.status()["status"] == "running"
        except ApiProblem as problem:
            if problem.gone:
                return
            raise
        if running and state["stop_on_destroy"]:
            machine.stop(state["timeout_stop_vm"] or 300)
        elif running:
            machine.power_off(state)
        machine.destroy(state)


def _configure_clone(machine: Machine, planned: Values) -> None:
    config = machine.config()
    initialization = first(planned["initialization"])
    if initialization:
        interface = initialization["interface"] or forms.CLOUD_INIT_INTERFACE
        there = devices.cloud_init_drive(config, machine.vm_id)
        old = [interface] + ([there[0]] if there and there[0] != interface else [])
        machine.configure({"delete": ",".join(old)})
    form = forms.hardware(planned) | forms.cloud_init(initialization, with_drive=True)
    form["delete"] = ",".join(forms.absent(planned))
    if planned["scsi_hardware"] != forms.SCSI_HARDWARE_DEFAULT:
        form["scsihw"] = planned["scsi_hardware"]
    machine.configure(form)


def _update_config(machine: Machine, prior: Values, planned: Values, power: Power) -> None:
    machine.config()
    form: Values = {"name": planned["name"]} if planned["name"] else {}
    gone: list[str] = []

    def changed(*names: str) -> bool:
        return any(planned[name] != prior[name] for name in names)

    if changed("cpu"):
        form |= forms.cpu(first(planned["cpu"]), first(prior["cpu"]))
        # What has no value is deleted, whether it was there or not.
        extras = first(planned["cpu"]) or {}
        gone += [parameter for name, parameter in forms.CPU_EXTRAS if parameter in ("vcpus", "cpulimit") and not extras.get(name)]
        gone += [one for one in _emptied(forms.CPU_EXTRAS, planned["cpu"], prior["cpu"]) if one not in gone]
    if changed("memory"):
        form |= forms.memory(first(planned["memory"]))
        gone += _emptied(forms.MEMORY_EXTRAS, planned["memory"], prior["memory"])
    if changed("agent"):
        form["agent"] = devices.agent_text(first(planned["agent"]) or forms.NO_AGENT)
    if changed("on_boot"):
        form["onboot"] = devices.flag(planned["on_boot"])
    for name, text in (("tags", ";".join(planned["tags"] or [])), ("description", planned["description"])):
        if changed(name) and (text or name == "tags"):
            form[name] = text
        elif changed(name):
            gone.append(name)
    if changed("network_device"):
        now, before = planned["network_device"] or [], prior["network_device"] or []
        form |= {f"net{index}": devices.network_text(device) for index, device in enumerate(now)}
        gone += [f"net{index}" for index in range(len(now), len(before))]
    if changed("serial_device"):
        now, before = planned["serial_device"] or [], prior["serial_device"] or []
        form |= {f"serial{index}": device["device"] for index, device in enumerate(now)}
        gone += [f"serial{index}" for index in range(len(now), len(before))]
    if changed("operating_system", "startup", "vga", "boot_order", "hotplug", *(name for name, _, _ in forms.SCALARS)):
        now_named, before_named = forms.named(planned), forms.named(prior)
        form |= {name: value for name, value in now_named.items() if before_named.get(name) != value and name != "tags"}
        gone += [name for name in before_named if name not in now_named and name != "tags"]
    if changed("scsi_hardware"):
        form["scsihw"] = planned["scsi_hardware"]
    if changed("initialization"):
        _change_cloud_init(machine, prior, planned, power, form, gone)
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


def _emptied(extras: tuple[tuple[str, str], ...], planned: list[Values], prior: list[Values]) -> list[str]:
    """The parameters that had a value and have none any more."""
    now, before = first(planned), first(prior)
    if now is None or before is None:
        return []
    return [parameter for name, parameter in extras if before[name] and not now[name]]


def _change_cloud_init(machine: Machine, prior: Values, planned: Values, power: Power, form: Values, gone: list[str]) -> None:
    now, before = first(planned["initialization"]), first(prior["initialization"])
    place = ("interface", "datastore_id")
    moved = before is None or (now is not None and any(now[name] != before[name] for name in place))
    if now and moved:
        power.off_for("move the cloud-init drive")
    if before and (now is None or moved):
        machine.configure({"delete": before["interface"] or forms.CLOUD_INIT_INTERFACE})
    form |= forms.cloud_init(now, with_drive=moved)
    now_names, before_names = forms.cloud_init(now, with_drive=False), forms.cloud_init(before, with_drive=False)
    gone += [name for name in before_names if name not in now_names]


def _update_disks(machine: Machine, prior: Values, planned: Values, power: Power) -> None:
    """And, as that is when a VM is off, all that a VM has to be off for."""
    before = {disk["interface"]: disk for disk in prior["disk"]}
    known = [disk for disk in planned["disk"] if disk["interface"] in before]
    moved = [disk for disk in known if disk["datastore_id"] != before[disk["interface"]]["datastore_id"]]
    grown = [disk for disk in known if (disk["size"] or 0) > before[disk["interface"]]["size"]]
    config = machine.config() if planned["disk"] != prior["disk"] else {}
    for disk in planned["disk"]:
        if disk["interface"] not in before:
            machine.add_disk(disk)
    if moved:
        power.off_for("move disks between datastores")
    for disk in moved:
        machine.move_disk(disk)
    if restarting.needed(prior, planned) and not power.off() and grown:
        raise power.refusal("resize disks")
    for disk in grown:
        machine.resize_disk(disk)
        # What waits for a restart still holds the old size, and would bring it back.
        volume = devices.options_of(config[disk["interface"]])[""]
        machine.configure({disk["interface"]: devices.disk_text(disk, volume)})
    power.settle(restart=bool(grown) and not restarting.pluggable(planned, "disk"))


def _refuse_smaller_disks(prior: Values, planned: Values) -> None:
    before = {disk["interface"]: disk for disk in prior["disk"]}
    for disk in planned["disk"]:
        was = before.get(disk["interface"])
        if was and is_smaller(disk, was):
            raise smaller(disk, was)


def _settled(disk: Values, was: Values) -> Values:
    """The planned disk, with what the provider finds out itself taken from before."""
    return disk | {name: was[name] for name in ("file_format", "path_in_datastore")}
