"""Makes values of what a Proxmox VE cluster answers. It trusts no type, no number and no name of it, and judges nothing.

Guests' notes (`description`) and cloud-init user data are never looked at: nobody's prose gets from a cluster into a conversation.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from tools.rules.machines.networks import lets_through
from tools.rules.names import processors
from tools.rules.names.scanned import Row, display, number
from tools.values.snapshot import Guest, Load, Network, Node, Storage, Template, Zone
from tools.values.value import Json

COVERAGE_MIN = 0.5
"""A 95th percentile of fewer samples than half says too little to be used."""
NODE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_DISK = re.compile(r"(?:scsi|virtio|sata|ide)\d{1,2}|efidisk0|tpmstate0")
_SIZE = re.compile(r"(?:^|,)size=(\d{1,15}(?:\.\d{1,6})?)([KMGT]?)(?:,|$)")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SYSTEMS = ("debian", "ubuntu", "rocky", "almalinux", "fedora", "centos", "opensuse", "arch", "alpine", "windows")


def flag(row: Row, key: str) -> bool:
    return str(row.get(key)) in ("1", "True")


def firewall_on(options: Json) -> bool | None:
    """The datacentre's, which is off until somebody turns it on. None: it was not told."""
    return bool(number(options, "enable")) if isinstance(options, dict) else None


def in_maintenance(ha_status: Iterable[Row]) -> frozenset[str]:
    """Nodes whose local manager of high availability says so."""
    return frozenset(str(r.get("node")) for r in ha_status if r.get("type") == "lrm" and "maintenance mode" in str(r.get("status")))


def node(row: Row, load: Load | None, model: str, answers: bool, maintenance: bool = False, flags: str = "") -> Node:
    """A node that the cluster calls online but that does not answer takes nothing new."""
    return Node(
        name=display(row.get("node")),
        online=row.get("status") == "online" and answers,
        cpu_count=int(number(row, "maxcpu")),
        memory_bytes=int(number(row, "maxmem")),
        memory_used_bytes=int(number(row, "mem")),
        cpu_ratio=min(number(row, "cpu"), 1.0),
        load=load,
        cpu_model=display(model),
        cpu_types=processors.types_of(flags.split()),
        maintenance=maintenance or row.get("hastate") == "maintenance",
    )


def storage(row: Row, node_name: str) -> Storage:
    """From /nodes/N/storage, or from /cluster/resources for a node that does not answer."""
    return Storage(
        name=display(row.get("storage")),
        node=node_name,
        kind=display(row.get("type") if "plugintype" not in row else row["plugintype"]),
        shared=flag(row, "shared"),
        content=tuple(sorted(display(c) for c in str(row.get("content") or "").split(",") if c)),
        total_bytes=int(number(row, "total") or number(row, "maxdisk")),
        used_bytes=int(number(row, "used") or (number(row, "disk") if "maxdisk" in row else 0)),
        active=row.get("status") == "available" if "status" in row else flag(row, "active") and row.get("enabled", 1) not in (0, "0"),
    )


def guest(row: Row, config: Row | None = None, addresses: tuple[str, ...] = ()) -> Guest:
    """Its configuration, where it was read, tells of all its disks."""
    return Guest(
        vm_id=int(number(row, "vmid")),
        name=display(row.get("name") or ""),
        node=display(row.get("node")),
        running=row.get("status") == "running",
        template=flag(row, "template"),
        cpu_count=math.ceil(number(row, "maxcpu")),
        memory_bytes=int(number(row, "maxmem")),
        disk_bytes=int(number(row, "maxdisk")),
        data_disks_gib=_data_disks_gib(config or {}),
        tags=tags(row),
        pool=display(row.get("pool") or ""),
        lock=display(row.get("lock") or ""),
        on_boot=None if config is None else flag(config, "onboot"),
        addresses=tuple(dict.fromkeys((*_fixed_addresses(config or {}), *addresses))),
    )


def _fixed_addresses(config: Row) -> tuple[str, ...]:
    """What cloud-init was told."""
    lines = (str(value) for key, value in config.items() if re.fullmatch(r"ipconfig\d{1,2}", key))
    said = (option.partition("=")[2] for line in lines for option in line.split(",") if option.startswith(("ip=", "ip6=")))
    return tuple(filter(None, map(_plain_address, said)))


def has_agent(config: Row | None) -> bool:
    return config is not None and bool(re.match(r"(enabled=)?1", str(config.get("agent") or "")))


def agent_addresses(answer: Json) -> tuple[str, ...]:
    """Of every card, but those that every machine has."""
    result = answer.get("result") if isinstance(answer, dict) else None
    cards = [card for card in result if isinstance(card, dict)] if isinstance(result, list) else []
    found = (one.get("ip-address") for card in cards for one in card.get("ip-addresses") or () if isinstance(one, dict))
    return tuple(filter(None, map(_plain_address, map(str, found))))


def _plain_address(text: str) -> str:
    try:
        address = ipaddress.ip_interface(text).ip
    except ValueError:
        return ""
    return "" if address.is_loopback or address.is_link_local else str(address)


def _data_disks_gib(config: Row) -> tuple[tuple[str, int], ...]:
    disks = _disks(config)
    if len(disks) < 2:
        return ()
    system = _system_disk(disks, str(config.get("boot") or ""))
    others = {name: value for name, value in disks.items() if name not in (system, "efidisk0", "tpmstate0") and _holds_data(value)}
    return tuple((name, math.ceil(_disk_bytes(value) / 2**30)) for name, value in others.items())


def _disks(config: Row) -> dict[str, str]:
    """By interface, in the order of their numbers."""
    found = {key: str(value) for key, value in config.items() if _DISK.fullmatch(key)}
    return dict(sorted(found.items(), key=lambda one: (one[0].rstrip("0123456789"), int(re.sub(r"\D", "", one[0])))))


def _holds_data(value: str) -> bool:
    return bool(_storage_of(value)) and "media=cdrom" not in value and not _is_cloud_init(value)


def tags(row: Row) -> tuple[str, ...]:
    return tuple(display(tag) for tag in re.split(r"[;, ]+", str(row.get("tags") or "")[:1000]) if tag)


def template(row: Row, config: Row, shared_storages: frozenset[str]) -> Template | None:
    """None when it has no disk that a clone could start from."""
    disks = _disks(config)
    interface = _system_disk(disks, str(config.get("boot") or ""))
    if interface is None:
        return None
    storages = tuple(sorted({display(name) for value in disks.values() if (name := _storage_of(value))}))
    return Template(
        vm_id=int(number(row, "vmid")),
        name=display(row.get("name") or ""),
        node=display(row.get("node")),
        disk_interface=interface,
        disk_gib=math.ceil(_disk_bytes(disks[interface]) / 2**30),
        storages=storages,
        shared=bool(storages) and all(name in shared_storages for name in storages),
        cloud_init=any(_is_cloud_init(value) for value in disks.values()),
        cloud_init_on=next((name for name, value in disks.items() if _is_cloud_init(value)), "ide2"),
        os=_system(row, config),
        cards=tuple(cards(config)),
        drives=tuple(disks),
    )


def _system_disk(disks: Mapping[str, str], boot: str) -> str | None:
    order = re.search(r"order=([a-z0-9;]{1,200})", boot)
    first = order[1].split(";") if order else []
    candidates = [*first, *(f"{kind}{number}" for kind in ("scsi", "virtio", "sata", "ide") for number in range(31))]
    return next((d for d in candidates if d in disks and _holds_data(disks[d])), None)


def _storage_of(value: str) -> str:
    name, colon, _ = value.split(",")[0].removeprefix("file=").partition(":")
    return name if colon else ""


def _disk_bytes(value: str) -> float:
    size = _SIZE.search(value)
    return float(size[1]) * _UNITS[size[2]] if size else 0.0


def _is_cloud_init(value: str) -> bool:
    return "cloudinit" in value.split(",")[0]


def _system(row: Row, config: Row) -> str:
    words = " ".join((display(row.get("name") or ""), *tags(row))).lower()
    named = next((system for system in _SYSTEMS if system in words), "")
    return named or ("windows" if str(config.get("ostype") or "").startswith("w") else "")


# Networks: each by every name that an operator may say.


def bridges(by_node: Mapping[str, Iterable[Row]]) -> Iterator[Network]:
    """Each by its name, once for the nodes on which it lets the same tags through; and by the VLAN that its port is of."""
    found: dict[tuple[str, str, str], list[tuple[str, Row]]] = {}
    for node_name, interfaces in by_node.items():
        for row in interfaces:
            if str(row.get("type")) in ("bridge", "OVSBridge"):
                found.setdefault((display(row.get("iface")), _vlan_ids(row), _port_vlan(row)), []).append((node_name, row))
    for (name, vlan_ids, port_vlan), places in found.items():
        subnet, gateway = next(((s, _gateway(row, s)) for _, row in places if (s := _subnet(row.get("cidr")))), ("", ""))
        whole = Network(
            name=name,
            bridge=name,
            vlan_tag=None,
            nodes=tuple(node_name for node_name, _ in places),
            subnet=subnet,
            gateway=gateway,
            seen_by=f"bridge {name}",
            vlan_ids=vlan_ids,
        )
        yield whole
        if port_vlan:
            yield whole.model_copy(update={"name": port_vlan, "seen_by": f"bridge {name}, whose port is of VLAN {port_vlan}"})


def _vlan_ids(row: Row) -> str:
    """The tags that a card on it may have. A Linux bridge that is not VLAN-aware makes a `vmbr0v40` beside itself, if it has a port."""
    if flag(row, "bridge_vlan_aware"):
        return display(row.get("bridge_vids") or "2-4094")
    ports = str(row.get("bridge_ports") or row.get("ovs_ports") or "").split()
    return "1-4094" if any(port != "none" and "." not in port for port in ports) else ""


def _port_vlan(row: Row) -> str:
    ports = str(row.get("bridge_ports") or "").split()
    vlans = {vlan for port in ports if (vlan := port.partition(".")[2]).isdecimal() and len(vlan) <= 4}
    return next(iter(vlans)) if len(vlans) == 1 and len(ports) == 1 else ""


def _gateway(row: Row, subnet: str) -> str:
    """Of the node's own address there, where it is told."""
    text = display(row.get("gateway") or "")
    try:
        return text if text and ipaddress.ip_address(text) in ipaddress.ip_network(subnet) else ""
    except ValueError:
        return ""


def subnets_of_vlans(by_node: Mapping[str, Iterable[Row]]) -> dict[int, tuple[str, str]]:
    """(subnet, gateway) of VLANs in which a node has an address of its own: `vmbr0.40` with 10.0.40.11/24."""
    interfaces = (row for rows_ in by_node.values() for row in rows_ if str(row.get("type")) == "vlan")
    found = ((str(row.get("vlan-id") or str(row.get("iface")).rpartition(".")[2]), row) for row in interfaces)
    told = ((vlan, _subnet(row.get("cidr")), row) for vlan, row in found if vlan.isascii() and vlan.isdecimal())
    return {int(vlan): (subnet, _gateway(row, subnet)) for vlan, subnet, row in told if subnet}


def vnets(
    vnet_rows: Iterable[Row], zones: Mapping[str, Row], subnets: Mapping[str, tuple[str, str]], all_nodes: tuple[str, ...]
) -> Iterator[Network]:
    """An SDN network by its own name, its alias and its tag. It brings its tag with it, so a guest's line has none."""
    for row in vnet_rows:
        vnet, zone = display(row.get("vnet")), display(row.get("zone") or "")
        named = str(zones.get(zone, {}).get("nodes") or "")
        nodes = tuple(n for n in all_nodes if n in named.split(",")) if named else all_nodes
        subnet, gateway = subnets.get(vnet, ("", ""))
        for name in dict.fromkeys(display(n) for n in (vnet, row.get("alias"), row.get("tag")) if n):
            yield Network(
                name=name,
                bridge=vnet,
                vlan_tag=None,
                nodes=nodes,
                subnet=subnet,
                seen_by=f"SDN vnet {vnet} of zone {zone}",
                gateway=gateway,
                zone=zone,
            )


def applied(rows: Iterable[Row]) -> list[Row]:
    """Of zones, vnets or subnets, read with what is pending: those that run, as they run."""
    return [row for row in rows if row.get("state") != "new"]


def sdn_waiting(kind: str, rows: Iterable[Row]) -> Iterator[str]:
    """What is written down and does not count yet: `vnet lab`."""
    return (f"{kind} {display(row.get(kind))}" for row in rows if row.get("state") in ("new", "changed", "deleted"))


def zones(rows: Iterable[Row], vnet_rows: Iterable[Row], all_nodes: tuple[str, ...]) -> Iterator[Zone]:
    mine: dict[str, list[tuple[int, str]]] = {}
    for row in vnet_rows:
        if number(row, "tag"):
            mine.setdefault(display(row.get("zone") or ""), []).append((int(number(row, "tag")), display(row.get("vnet"))))
    for row in rows:
        name, named = display(row.get("zone")), str(row.get("nodes") or "").split(",")
        nodes = tuple(n for n in all_nodes if n in named) if row.get("nodes") else all_nodes
        tags = tuple(sorted(mine.get(name, ())))
        yield Zone(name=name, kind=display(row.get("type")), bridge=display(row.get("bridge") or ""), nodes=nodes, tags=tags)


def tagged(configs: Mapping[int, Row], known: Iterable[Network], subnet_of_tag: Mapping[int, tuple[str, str]]) -> Iterator[Network]:
    """VLANs that guests are on already, by their tag: what works for them works for another, where the bridge lets it through."""
    rows_of: dict[str, list[Network]] = {}
    for network in known:
        rows_of.setdefault(network.bridge, []).append(network)
    seen: set[tuple[str, int]] = set()
    for vm_id, config in sorted(configs.items()):
        for bridge, tag in cards(config):
            if tag is not None and (bridge, tag) not in seen:
                seen.add((bridge, tag))
                yield Network(
                    name=str(tag),
                    bridge=bridge,
                    vlan_tag=tag,
                    nodes=tuple(node for n in rows_of.get(bridge, ()) if lets_through(n, tag) for node in n.nodes),
                    subnet=subnet_of_tag.get(tag, ("", ""))[0],
                    seen_by=f"tag of VM {vm_id}",
                    gateway=subnet_of_tag.get(tag, ("", ""))[1],
                )


def cards(config: Row) -> Iterator[tuple[str, int | None]]:
    """(bridge, tag) of each network card."""
    for key, value in config.items():
        if re.fullmatch(r"net\d{1,2}", key):
            options = dict(option.split("=", 1) for option in str(value).split(",") if "=" in option)
            bridge, tag = display(options.get("bridge", "")), options.get("tag", "")
            if bridge:
                yield bridge, int(tag) if tag.isascii() and tag.isdecimal() and len(tag) <= 4 else None


def named_once(networks: Iterable[Network]) -> tuple[Network, ...]:
    """VLANs in use come before other ways to the same, so that a vnet is known by its own names there; what is on several bridges, or
    differs from node to node, is several."""
    found: dict[str, list[Network]] = {}
    for network in networks:
        alike = found.setdefault(network.name, [])
        of_vnet = network.seen_by.startswith("SDN vnet ")
        if not alike or not of_vnet:
            alike.append(network)
    return tuple(
        sorted(
            (one for alike in found.values() for one in alike),
            key=lambda n: (not n.name.isdecimal(), int(n.name) if n.name.isdecimal() else 0, n.name),
        )
    )


def _subnet(cidr: Json) -> str:
    try:
        return str(ipaddress.ip_network(str(cidr), strict=False)) if cidr else ""
    except ValueError:
        return ""


def subnet(row: Row) -> tuple[str, str]:
    """Of an SDN subnet row: `cidr`, or its id `zone-10.20.0.0-24`; and its gateway."""
    identity = re.fullmatch(r"[A-Za-z0-9]+-([0-9a-f.:]+)-(\d{1,3})", str(row.get("subnet") or ""))
    found = _subnet(row.get("cidr") or (f"{identity[1]}/{identity[2]}" if identity else ""))
    return found, _gateway(row, found) if found else ""


# How busy a node has been.


def load_of_day(node_name: str, points: list[Row]) -> Load:
    """The 95th percentile of the last day that the node itself keeps."""
    times = sorted(int(number(point, "time")) for point in points)
    step = min((b - a for a, b in pairwise(times) if b > a), default=60)
    cpu, memory = _figures(points, "cpu"), _figures(points, "memused")
    coverage = min(1.0, len(cpu) * step / 86400)
    coarse = "" if step <= 60 else f", averages of {step // 60} min"
    source = f"rrddata of {node_name}, 1 day, {coverage:.0%} of samples{coarse}".replace("%", " %")
    if coverage < COVERAGE_MIN:
        return Load(cpu_ratio_p95=None, memory_bytes_p95=None, source=source)
    return Load(cpu_ratio_p95=_p95(cpu), memory_bytes_p95=_p95(memory), source=source)


def _figures(points: Iterable[Row], key: str) -> list[float]:
    """Most are what they should be, and there are thousands."""
    found = [(point, value) for point in points if (value := point.get(key)) is not None]
    return [value if type(value) is float and 0 <= value < math.inf else number(point, key) for point, value in found]


def _p95(values: list[float]) -> float | None:
    """By nearest rank."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else None


def held(answer: Json) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Of /access/permissions: path → privilege → whether it goes down (`1`)."""
    if not isinstance(answer, dict):
        return ()
    found = ((path, privileges) for path, privileges in answer.items() if isinstance(privileges, dict) and path.startswith("/"))
    return tuple(sorted((path, tuple(sorted(f"{one}/" if flag(there, one) else one for one in there))) for path, there in found))
