"""What the site's name server and its register of addresses are to be told of machines. Telling them is done in
tools.pipeline.registering."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tools.rules.machines.images import becomes_template
from tools.values.machine import Machine, without_prefix
from tools.values.manifest import Part
from tools.values.names import Kind, Record
from tools.values.site import NameServer, Site
from tools.values.value import Named

NETBOX = "NetBox"
REVERSE = ".arpa"


def registering(parts: Iterable[Part], site: Site) -> tuple[Part, ...]:
    """The parts, each with the names that its machines and its virtual addresses get, and with where its fixed addresses are registered;
    without either where the site names no such server. A template has its address for some minutes."""
    return tuple(
        part.model_copy(
            update={
                "dns_names": _names(part, site.names) if site.names else (),
                "registered_in": NETBOX if site.ipam and every_address(part) else "",
            }
        )
        if not becomes_template(part)
        else part
        for part in parts
    )


def every_address(part: Part) -> tuple[tuple[str, Machine], ...]:
    """(a fixed address with its prefix, the machine that has it), of all network cards. One that moves is registered for the first."""
    own = [(address, machine) for machine in part.machines for address in machine.fixed_addresses]
    return (*own, *((str(address), machine) for _, address in part.virtual_addresses for machine in part.machines[:1]))


def owner(run_id: str, part: Part) -> str:
    """How a registration of the part begins."""
    return f"Berth {run_id} {part.label}:"


def note(run_id: str, part: Part, machine: Machine) -> str:
    return f"{owner(run_id, part)} VM {machine.vm_id} ({machine.name})"


def is_registered(part: Part) -> bool:
    return bool(part.dns_names or part.registered_in)


def _names(part: Part, server: NameServer) -> Named:
    """(machine or virtual address, its name). A machine's is in the search domain of its network where the server has that, else in the
    first zone. A virtual address is called as what its certificate is for, where that is in a zone, else as what is made."""
    forward = [zone for zone in server.zones if not zone.endswith(REVERSE)]

    def within(domain: str | None) -> str:
        domain = (domain or "").lower().strip(".")
        return domain if _zone_of(domain, forward) else forward[0]

    machines = {one.name: f"{one.name.lower()}.{within(one.domain)}" for one in part.machines}
    domain = within(part.machines[0].domain) if part.machines else forward[0]
    shown = [name.lower() for one in part.certificates for name in one.names if _zone_of(name.lower(), forward)]
    virtual: dict[str, str] = {}
    for what, _ in part.virtual_addresses:
        stem = (part.needs.text("name") or part.needs.text("workload") or part.label).lower().replace("_", "-")
        several = [*shown, f"{stem}.{domain}", f"{stem}-{what.replace('_', '-')}.{domain}"]
        taken = {*machines.values(), *virtual.values()}
        virtual[what] = next(name for name in several if name not in taken)
    return (*machines.items(), *virtual.items())


def records(names: Named, addresses: Mapping[str, Sequence[str]], zones: Sequence[str]) -> tuple[Record, ...]:
    """There and back, for each name and each of its addresses. An address that is in none of the zones gets no name back."""
    return tuple(
        record
        for what, name in names
        for address in addresses.get(what, ())
        for record in (_there(str(name), address, zones), _back(str(name), address, zones))
        if record is not None
    )


def without_way_back(addresses: Mapping[str, Sequence[str]], zones: Sequence[str]) -> tuple[str, ...]:
    """Those addresses that none of the zones holds."""
    each = dict.fromkeys(address for several in addresses.values() for address in several)
    return tuple(address for address in each if _back("", address, zones) is None)


def fixed_addresses(part: Part) -> dict[str, tuple[str, ...]]:
    """By machine and virtual address, as far as they were settled with the plan: of a machine those of its first card."""
    found = {m.name: tuple(one for one in (m.address, m.address6) if one and one != "dhcp") for m in part.machines}
    found |= {name: (str(address),) for name, address in part.virtual_addresses}
    return {name: tuple(without_prefix(one) for one in several) for name, several in found.items() if several}


def spoken(found: Sequence[Record]) -> Iterator[str]:
    """A sentence for each name."""
    back = {(record.data, record.name) for record in found if record.kind == "PTR"}
    for name in dict.fromkeys(record.name for record in found if record.kind != "PTR"):
        there = [record.data for record in found if record.name == name]
        also = [address for address in there if (name, ipaddress.ip_address(address).reverse_pointer) in back]
        yield f"{name} leads to {' and '.join(there)}" + (f", and {' and '.join(also)} lead{'s' * (len(also) == 1)} back." if also else ".")


def _there(name: str, address: str, zones: Sequence[str]) -> Record | None:
    zone = _zone_of(name, zones)
    kind: Kind = "AAAA" if ":" in address else "A"
    return Record(zone=zone, name=name, kind=kind, data=str(ipaddress.ip_address(address))) if zone else None


def _back(name: str, address: str, zones: Sequence[str]) -> Record | None:
    back = ipaddress.ip_address(address).reverse_pointer
    zone = _zone_of(back, zones)
    return Record(zone=zone, name=back, kind="PTR", data=name) if zone else None


def _zone_of(name: str, zones: Iterable[str]) -> str:
    """The narrowest that holds it; empty when none does."""
    return max((zone for zone in zones if name == zone or name.endswith(f".{zone}")), key=len, default="")
