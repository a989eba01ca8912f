"""From a planned VM to the form values Proxmox takes. Pure; when they are sent is decided in `virtual_machine`."""

from __future__ import annotations

from cluster_sim.mirror.provider import first
from cluster_sim.mirror.proxmox import devices
from cluster_sim.mirror.schema import Values

CLOUD_INIT_INTERFACE = "ide2"
SCSI_HARDWARE_DEFAULT = "virtio-scsi-pci"
BOOTS, NETWORK = ("ide0", "sata0", "scsi0", "virtio0"), ["net0"]
"""What a VM boots from that nobody said an order for, in this order."""
NO_AGENT = {"enabled": False, "trim": False, "type": "virtio"}
CPU_EXTRAS = (("affinity", "affinity"), ("hotplugged", "vcpus"), ("limit", "cpulimit"), ("units", "cpuunits"))
MEMORY_EXTRAS = (("shared", "shares"),)
"""Attributes and parameters sent only when they have a value."""


def hardware(planned: Values) -> Values:
    form: Values = {"onboot": devices.flag(planned["on_boot"])}
    form |= cpu(first(planned["cpu"])) | memory(first(planned["memory"])) | named(planned)
    if agent := first(planned["agent"]):
        form["agent"] = devices.agent_text(agent)
    for index, device in enumerate(planned["network_device"] or []):
        form[f"net{index}"] = devices.network_text(device)
    for index, device in enumerate(planned["serial_device"] or []):
        form[f"serial{index}"] = device["device"]
    return form


def custom(planned: Values) -> Values:
    """All of a VM that is made without a template, in one call."""
    order = (
        planned["boot_order"]
        or [d["interface"] for d in planned["disk"] if d["interface"] in BOOTS] + NETWORK[: len(planned["network_device"] or [])]
    )
    form: Values = {name: planned[name] for name in ("name", "description") if planned[name]}
    form |= {"pool": planned["pool_id"]} if planned["pool_id"] else {}
    form |= {
        "acpi": devices.flag(planned["acpi"]),
        "bios": planned["bios"],
        "keyboard": planned["keyboard_layout"],
        "protection": devices.flag(planned["protection"]),
        "scsihw": planned["scsi_hardware"],
        "tablet": devices.flag(planned["tablet_device"]),
        "template": "0",
        "ostype": "other",
        "agent": devices.agent_text(NO_AGENT),
    }
    initialization = first(planned["initialization"])
    form |= hardware(planned) | cloud_init(initialization, with_drive=True) | {"boot": f"order={';'.join(order)}"}
    return form | {disk["interface"]: devices.imported_text(disk) for disk in planned["disk"]}


def named(planned: Values) -> Values:
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
    for name, parameter, default in SCALARS:
        if planned[name] != default:
            form[parameter] = devices.flag(planned[name]) if isinstance(planned[name], bool) else planned[name]
    return form


SCALARS: tuple[tuple[str, str, object], ...] = (
    ("acpi", "acpi", True),
    ("bios", "bios", "seabios"),
    ("keyboard_layout", "keyboard", "en-us"),
    ("kvm_arguments", "args", None),
    ("machine", "machine", None),
    ("protection", "protection", False),
    ("tablet_device", "tablet", True),
    ("hook_script_file_id", "hookscript", None),
)


def cpu(cpu: Values | None, before: Values | None = None) -> Values:
    if cpu is None:
        return {}
    form: Values = {
        "cores": cpu["cores"],
        "sockets": cpu["sockets"],
        "numa": devices.flag(cpu["numa"]),
        "cpu": devices.cpu_text(cpu),
    }
    for name, parameter in CPU_EXTRAS:
        # A weight the operator never set is not written down as if they had.
        settled = before is not None and cpu[name] == before[name]
        form |= {parameter: cpu[name]} if cpu[name] and not settled else {}
    return form


def memory(memory: Values | None) -> Values:
    if memory is None:
        return {}
    form: Values = {"memory": memory["dedicated"], "balloon": memory["floating"]}
    form |= {parameter: memory[name] for name, parameter in MEMORY_EXTRAS if memory[name]}
    return form


def cloud_init(initialization: Values | None, *, with_drive: bool) -> Values:
    if initialization is None:
        return {}
    form: Values = {}
    if with_drive:
        interface = initialization["interface"] or CLOUD_INIT_INTERFACE
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


def absent(planned: Values) -> list[str]:
    """A template may bring devices nobody asked for; Proxmox accepts deleting what is not there."""
    networks, serials = len(planned["network_device"] or []), len(planned["serial_device"] or [])
    names = [f"net{index}" for index in range(networks, devices.NETWORKS_MAX)] if networks else []
    return names + ([f"serial{index}" for index in range(serials, devices.SERIALS_MAX)] if serials else [])
