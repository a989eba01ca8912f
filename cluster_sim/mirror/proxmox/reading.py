"""From a VM's configuration as Proxmox has it to the state Terraform keeps. Pure; which calls bring it is in `machine`."""

from __future__ import annotations

from cluster_sim.mirror.proxmox import devices
from cluster_sim.mirror.proxmox.forms import SCALARS, SCSI_HARDWARE_DEFAULT
from cluster_sim.mirror.schema import Values

_CPU_UNITS_DEFAULT = 100
"""Proxmox VE 9's own, under cgroup v2."""


def refreshed(state: Values, vm_id: int, node: str, config: Values, status: Values, formats: dict[str, str]) -> Values:
    """The state as the VM's configuration has it. Pure.

    As in the released provider, what a clone leaves at its default is not compared with what the template brought.
    """
    new = state | {"id": str(vm_id), "vm_id": vm_id, "node_name": node}
    cloned = bool(state["clone"])
    for name, parameter, default in (
        *SCALARS,
        ("scsi_hardware", "scsihw", SCSI_HARDWARE_DEFAULT),
        ("description", "description", None),
    ):
        if cloned and state[name] == default:
            continue
        value = config.get(parameter, default)
        new[name] = bool(int(value)) if isinstance(default, bool) else value.rstrip("\n") if isinstance(value, str) else value
    new["name"] = config.get("name") if state["name"] or not cloned else None
    new["on_boot"] = bool(int(config.get("onboot", 0)))
    new["template"] = bool(int(config.get("template", 0)))
    new["started"] = state["started"] if new["template"] else status["status"] == "running"
    new["hotplug"] = config.get("hotplug")
    new["boot_order"] = _boot_order(config.get("boot", "")) if state["boot_order"] or "boot" in config else []
    tags = [tag for tag in str(config.get("tags", "")).replace(",", ";").split(";") if tag]
    same_tags = sorted(tags) == sorted(state["tags"] or []) or (cloned and not state["tags"])
    new["tags"] = state["tags"] if same_tags else tags
    new["cpu"] = [_cpu_block(config, block) for block in state["cpu"]]
    new["memory"] = [_memory_block(config, block) for block in state["memory"]]
    new["agent"] = [devices.agent_block(str(config.get("agent", "0")), block) for block in state["agent"]]
    new["disk"] = _disk_blocks(config, state["disk"], formats)
    new["network_device"] = _network_blocks(config, state["network_device"])
    new["initialization"] = _initialization_blocks(config, vm_id, state["initialization"])
    new["operating_system"] = [{"type": config.get("ostype", "other")} for _ in state["operating_system"]]
    new["serial_device"] = [
        {"device": config[name]} for name in sorted(config) if state["serial_device"] and name.startswith("serial") and name[6:].isdigit()
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
        "units": int(config.get("cpuunits") or was["units"] or _CPU_UNITS_DEFAULT),
        "affinity": config.get("affinity"),
    }


def _memory_block(config: Values, was: Values) -> Values:
    return was | {
        "dedicated": int(str(config.get("memory", 512)).removeprefix("current=")),
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


def ips(interface: Values, kind: str) -> list[str]:
    return [str(ip["ip-address"]) for ip in interface.get("ip-addresses") or () if ip.get("ip-address-type") == kind]


def has_address(interfaces: list[Values], wanted: Values) -> bool:
    """Whether there is an address that others can reach: neither loopback nor link-local."""
    usable = {
        kind: [ip for i in interfaces for ip in ips(i, kind) if not ip.startswith(("127.", "169.254.", "fe80:")) and ip != "::1"]
        for kind in ("ipv4", "ipv6")
    }
    if wanted.get("disabled"):
        return True
    kinds = [kind for kind in ("ipv4", "ipv6") if wanted.get(kind)]
    return all(usable[kind] for kind in kinds) if kinds else any(usable.values())
