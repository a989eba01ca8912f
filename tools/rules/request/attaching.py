"""Reads what is attached to machines besides their size and place: disks, addresses, tags, dates. What no plan can do of it is told.

Whether an address lies in its network is known when the cluster has been looked at: tools.rules.machines.addresses.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import date
from itertools import zip_longest

from tools.rules.hearing.tokens import quantities
from tools.rules.names import naming, processors
from tools.rules.request.editing import values_of
from tools.rules.request.ports import PORTS_MAX, SOURCES_MAX, ports
from tools.rules.request.reading import DISK_GIB_MAX, Reading
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.value import Json

DATA_DISKS_MAX = 12
"""Of one machine. A virtio or SCSI bus of Proxmox VE takes more; nobody has asked for them."""
TAGS_MAX = 20
DOMAIN = re.compile(r"(?=.{1,190}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
VM_ID_MIN, VM_ID_MAX = 100, 999_999_999
START_ORDER_MAX = 9999
ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
NOTES_CHARACTERS_MAX = 1000
CARDS_MAX = 8
"""Network cards of one machine. Proxmox VE takes 32; nobody has asked for them."""
GIB = 2**30
_DATA_DISK = re.compile(r"(?P<size>.+?)(?: on (?P<storage>[A-Za-z][A-Za-z0-9._-]{0,99}))?(?: at (?P<folder>\S{1,256}))?")
_FOLDER = re.compile(r"/[A-Za-z0-9][A-Za-z0-9._/-]{0,200}(?<!/)")
_SYSTEM = frozenset(["bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr"])
_SYSTEM_WHOLE = frozenset(("/home", "/opt", "/var", "/var/lib", "/var/log"))
"""Folders that a machine needs before any disk is mounted there, or that hold what it needs."""
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def read_acme(reading: Reading, site: Site) -> None:
    """Who signs the certificates of the machines that are read, where the site has a server for it."""
    if site.acme:
        reading.default("acme_directory", site.acme.directory, "The site's ACME server signs its certificate.")
        reading.default("acme_authority", site.acme.authority, "The site trusts it by this; where it is empty, Debian does.")


def acme_variables(needs: Needs, site_name: str) -> dict[str, Json]:
    """What the role acme is told; nothing where no server is asked."""
    if not needs.text("acme_directory"):
        return {}
    return {"acme_directory": needs.text("acme_directory"), "acme_authority": needs.text("acme_authority"), "acme_site_name": site_name}


def read_attached(reading: Reading, count: int) -> None:
    """`count` machines are to be made."""
    read_data_disks(reading)
    read_addresses(reading, count)
    _read_domain(reading)
    _read_tags(reading)
    _read_dates(reading)
    _read_of_proxmox(reading)
    if "start_on_boot" in reading.facts:
        reading.said("start_on_boot", reading.facts["start_on_boot"].value.strip().lower() not in ("no", "false"))
    if "ports" in reading.facts:
        _read_ports(reading)


def _read_ports(reading: Reading) -> None:
    """What its firewall lets in besides what is its own."""
    said = values_of(reading.facts["ports"].value)
    found = [ports(one) for one in said]
    if wrong := next((one for one in found if isinstance(one, str)), ""):
        reading.refuse(wrong, "ports")
    elif len(said) > PORTS_MAX or any(len(one.sources) > SOURCES_MAX for one in found if not isinstance(one, str)):
        reading.refuse(
            f"So many ports and addresses do not fit. Say at most {PORTS_MAX} ports or ranges, and {SOURCES_MAX} networks.", "ports"
        )
    else:
        reading.said("ports", said)


def _read_of_proxmox(reading: Reading) -> None:
    """What only Proxmox VE knows of a machine: its id, its type of processor, its account, its notes, and when it starts."""
    if "cpu_type" in reading.facts:
        said = reading.facts["cpu_type"].value
        if name := processors.spelled(said):
            reading.said("cpu_type", name)
        else:
            reading.refuse(f"{naming.shorten(said)} is no type of processor that I give. Say {', '.join(processors.TYPES)}.", "cpu_type")
    if vm_id := reading.count("vm_id", "as a VM id", VM_ID_MIN, VM_ID_MAX, "Proxmox VE gives none."):
        reading.said("vm_id", vm_id)
    if order := reading.count("start_order", "in the order of starts", 1, START_ORDER_MAX, "There is no such place."):
        reading.said("start_order", order)
    if "cloud_init_user" in reading.facts:
        name = reading.facts["cloud_init_user"].value.strip()
        if ACCOUNT.fullmatch(name) and name != "root":
            reading.said("cloud_init_user", name)
        else:
            why = "It begins with a small letter, has small letters, digits, - and _, and is not root"
            reading.refuse(f"{naming.shorten(name)} cannot be the account of a machine. {why}.", "cloud_init_user")
    if "vm_notes" in reading.facts:
        reading.said("vm_notes", reading.facts["vm_notes"].value.strip()[:NOTES_CHARACTERS_MAX])


def read_data_disks(reading: Reading, by_place: bool = True) -> None:
    """Each as `500 GB on ceph-hdd at /srv/data`. `by_place`: storages can be chosen, and folders mounted."""
    if "data_disks" not in reading.facts:
        return
    text = reading.facts["data_disks"].value
    each = [match for one in text.split(", ") if (match := _DATA_DISK.fullmatch(one)) and quantities.sizes(match["size"])]
    storages, folders = (tuple(match[name] or "" for match in each) for name in ("storage", "folder"))
    sizes_gib = [-(-size.size_bytes // GIB) for size in quantities.sizes(" ".join(f"{match['size']};" for match in each) or text)]
    wrong = next((one for one in folders if one and not mountable(one)), "")
    twice = next((one for one in folders if one and folders.count(one) > 1), "")
    if not sizes_gib:
        reading.refuse(f"{naming.shorten(text)} is no disk that I can read. Say each with its unit, such as 100 GB.", "data_disks")
    elif len(sizes_gib) > DATA_DISKS_MAX:
        reading.refuse(f"{len(sizes_gib)} data disks on one machine cannot be. Say at most {DATA_DISKS_MAX}.", "data_disks")
    elif not all(1 <= size_gib <= DISK_GIB_MAX for size_gib in sizes_gib):
        reading.refuse(
            f"{naming.shorten(text)}: a data disk has from 1 GiB to {DISK_GIB_MAX // 1024} TiB. Say sizes within that.", "data_disks"
        )
    elif wrong:
        why = "Say a folder that is not part of the system, as in `data disk 100 GB at /srv/data`"
        reading.refuse(f"No disk can be mounted at {naming.shorten(wrong)}. {why}.", "data_disks")
    elif twice:
        each_its_own = "Say a folder for each, as in `data disks 1 GB at /srv/a, 2 GB at /srv/b`"
        reading.refuse(f"Two disks cannot both be mounted at {naming.shorten(twice)}. {each_its_own}.", "data_disks")
    else:
        where = [(f" on {s}" if s else "") + (f" at {f}" if f else "") for s, f in zip(storages, folders, strict=True)] if by_place else []
        told = tuple(f"{size_gib}{place}" for size_gib, place in zip_longest(sizes_gib, where[: len(sizes_gib)], fillvalue=""))
        reading.said("data_disks_gib", told, "GiB", fact="data_disks")
        if not by_place and any((*storages, *folders)):
            reading.not_included.append("the storages and folders of the data disks: they are attached empty")
        elif not all(folders) or len(folders) < len(sizes_gib):
            reading.not_included.append(
                "formatting and mounting the data disks without a folder, as in `500 GB at /srv/data`: they are attached empty"
            )


def mountable(folder: str) -> bool:
    """An absolute folder, none of the system's own, in characters that a unit of systemd and a shell take as they are."""
    plain = _FOLDER.fullmatch(folder) is not None and "/.." not in folder and "//" not in folder and "/./" not in folder
    return plain and folder not in _SYSTEM_WHOLE and folder.split("/")[1] not in _SYSTEM


def read_addresses(reading: Reading, count: int) -> None:
    """An address comes with its gateway, or nothing beyond its own network would be reached."""
    fixed, gateways = _with_netmask(reading, _addresses(reading, "address")), _addresses(reading, "gateway")
    for version, address, gateway in ((4, "address", "gateway"), (6, "address6", "gateway6")):
        _read_family(reading, count, [[i for i in several if i.version == version] for several in (fixed, gateways)], address, gateway)
    if servers := _addresses(reading, "dns"):
        reading.said("dns_servers", tuple(str(one.ip) for one in servers), fact="dns")
    _read_further_cards(reading, count)


def _read_family(reading: Reading, count: int, said: Sequence[Sequence[Interface]], address: str, gateway: str) -> None:
    """(addresses, gateways) of IPv4 or of IPv6. Routers of IPv6 announce themselves, so its gateway need not be said."""
    fixed, gateways = said
    if fixed:
        if len(fixed) != count:
            machines = f"{count} machine{'s' if count > 1 else ''}"
            reading.refuse(
                f"{machines} and {len(fixed)} addresses do not go together. Say an address for each, or none.", "address", "count"
            )
        elif len({one.ip for one in fixed}) < len(fixed):
            reading.refuse("Two machines cannot have the same address. Say another for one of them.", "address")
        else:
            reading.said(address, tuple(_spelled(one) for one in fixed), fact="address")
        if address == "address" and not gateways and "gateway" not in reading.facts:
            reading.ask("gateway")
    if gateways:
        outside = next((one for one in fixed if one.network.prefixlen < one.max_prefixlen and gateways[0].ip not in one.network), None)
        if outside:
            reading.refuse(f"{gateways[0].ip} is no gateway of {outside}. Say one within {outside.network}.", "gateway")
        elif fixed:
            reading.said(gateway, str(gateways[0].ip), fact="gateway")
        else:
            reading.not_included.append(f"the gateway {gateways[0].ip}: without a fixed address, the network says its own")


def read_virtual_address(reading: Reading, fact: str = "virtual_address") -> None:
    """Asked for where it was not said. Where the site has a pool, a look at the world answers."""
    found = _addresses(reading, fact)
    if len(found) > 1:
        reading.refuse(f"{len(found)} virtual addresses were said, and it has one. Say which.", fact)
    elif found:
        reading.said(fact, _spelled(found[0]))
    elif fact not in reading.facts:
        reading.ask(fact)


def _read_further_cards(reading: Reading, count: int) -> None:
    if "more_networks" not in reading.facts:
        return
    names = naming.listed(reading.facts["more_networks"].value)
    if len(names) > CARDS_MAX - 1:
        reading.refuse(f"{1 + len(names)} network cards on one machine cannot be. Say at most {CARDS_MAX}.", "more_networks")
        return
    wrong = next((one for one in names if len(one) > 40 or not one.isprintable()), None)
    if wrong is not None:
        reading.refuse(f"{naming.shorten(wrong)} cannot be the name of a network. Say its name or VLAN, such as 20.", "more_networks")
        return
    reading.said("more_networks", tuple(names))
    fixed = _addresses(reading, "more_addresses")
    if not fixed:
        return
    if len(names) == 1 and len({one.version for one in fixed}) == 2 and len(fixed) == 2 * count:
        reading.said("more_addresses", tuple(_spelled(one) for one in sorted(fixed, key=lambda one: one.version)))
    elif len(fixed) != count * len(names):
        cards = f"{count * len(names)} further network card{'s' if count * len(names) > 1 else ''}"
        reading.refuse(f"{cards} and {len(fixed)} addresses do not go together. Say an address for each, or none.", "more_addresses")
    else:
        reading.said("more_addresses", tuple(_spelled(one) for one in fixed))


def _addresses(reading: Reading, fact: str) -> tuple[Interface, ...]:
    if fact not in reading.facts:
        return ()
    found: list[Interface] = []
    for text in naming.listed(reading.facts[fact].value):
        try:
            found.append(ipaddress.ip_interface(text))
        except ValueError:
            reading.refuse(f"{naming.shorten(text)} is no IP address. Say one such as 10.20.0.50/24.", fact)
            return ()
    return tuple(found)


def _with_netmask(reading: Reading, fixed: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """An address without its prefix, where the mask was said: `10.0.30.50, netmask 255.255.255.0`."""
    if "netmask" not in reading.facts:
        return fixed
    mask = reading.facts["netmask"].value.strip()
    try:
        return tuple(
            ipaddress.ip_interface(f"{one.ip}/{mask}") if one.version == 4 and one.network.prefixlen == 32 else one for one in fixed
        )
    except ValueError:
        reading.refuse(
            f"{naming.shorten(mask)} is no netmask. Say the address with its prefix, such as 10.20.0.50/24.", "netmask", "address"
        )
        return fixed


def _spelled(address: Interface) -> str:
    """Without a prefix when none was said: that of its network is taken."""
    return str(address.ip) if address.network.prefixlen == address.max_prefixlen else str(address)


def _read_domain(reading: Reading) -> None:
    if "domain" not in reading.facts:
        return
    domain = reading.facts["domain"].value.strip().strip(".").lower()
    if DOMAIN.fullmatch(domain):
        reading.said("domain", domain)
        reading.not_included.append(f"DNS records in {domain}")
    else:
        reading.refuse(f"{naming.shorten(domain)} cannot be a domain. Say one such as example.org.", "domain")


def _read_tags(reading: Reading) -> None:
    """As Proxmox VE takes them: in small letters, without blanks."""
    if "tags" in reading.facts:
        tags = tuple(dict.fromkeys(filter(None, map(naming.tag, re.split(r"[,;]|\s(?:and|&|und|et|y|ve)\s", reading.facts["tags"].value)))))
        if tags and len(tags) <= TAGS_MAX:
            reading.said("tags", tags)
        else:
            shown = naming.shorten(reading.facts["tags"].value)
            reading.refuse(f"{shown} cannot be tags. Say 1 to {TAGS_MAX} words, as in `tags: shop, web`.", "tags")
    if "role" in reading.facts:
        role = naming.tag(reading.facts["role"].value)
        if role:
            reading.said("role", role)


def _read_dates(reading: Reading) -> None:
    days: dict[str, date] = {}
    for fact in ("needed_by", "until"):
        if fact not in reading.facts:
            continue
        text = reading.facts[fact].value.strip()
        try:
            days[fact] = date.fromisoformat(text)
        except ValueError:
            reading.refuse(f"{naming.shorten(text)} is no day that I can read. Say one such as 2027-05-01.", fact)
            continue
        reading.said(fact, text)
    if len(days) == 2 and days["until"] < days["needed_by"]:
        reading.refuse(
            f"It is needed by {days['needed_by']} and only until {days['until']}. Say which of the two days is meant.", "needed_by", "until"
        )
    if "until" in days:
        reading.not_included.append(f"removing it after {days['until']}: nothing does so by itself")
