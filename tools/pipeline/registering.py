"""Puts what a part makes into the site's registers, and takes it out again: its addresses into NetBox before anything is made, its names to
the name server when all is verified. What they are to be told is decided in tools.rules.machines.registering.

What stands at the name server because of the part is written down beside its Terraform state before it is asked for: so a run that dies
in between leaves nothing that nobody knows of. Whose a name or an address is stands in the register itself, beside it: only what says that
it is this part's is changed or taken away, whatever the file in the run's folder says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from tools.clients.files import write_private
from tools.clients.ipam import AddressRegister, open_ipam
from tools.clients.name_server import Updates, open_updates, taken
from tools.pipeline.context import Examined
from tools.pipeline.steps import Work
from tools.rules.machines.registering import every_address, fixed_addresses, note, owner, records, spoken, without_way_back
from tools.values.machine import without_prefix
from tools.values.names import Kind, Record
from tools.values.site import Site
from tools.values.trouble import Trouble
from tools.values.value import Json

FILE = "names.json"
KINDS: tuple[Kind, ...] = ("A", "AAAA")


def examine(site: Site) -> Iterator[Examined]:
    """Whether the site's registers would take what a run tells them. Nothing is changed there."""
    if (server := site.names) is not None:
        for zone in server.zones:
            try:
                open_updates(server).assert_changes(zone)
                yield Examined(f"names, {zone}", True, f"{server.server} lets Berth change it")
            except Trouble as trouble:
                yield Examined(f"names, {zone}", False, f"{trouble.summary} {trouble.detail}", trouble.remedy)
    if site.ipam is not None:
        try:
            open_ipam(site.ipam).assert_registers()
            yield Examined("addresses in NetBox", True, f"{site.ipam.url} lets Berth register them")
        except Trouble as trouble:
            yield Examined("addresses in NetBox", False, f"{trouble.summary} {trouble.detail}", trouble.remedy)


def reserve(work: Work) -> Json:
    """Before anything is made: what is another's is told while there is nothing to take back."""
    if server := _names(work):
        _assert_names_free(work, server)
    if register := _addresses(work):
        _reserve_addresses(work, register)
    return {}


def register(work: Work) -> Json:
    """What became of it: {registered, not_registered}, sentences."""
    done: list[str] = []
    owed = list(_not_told(work))
    if server := _names(work):
        addresses = _met(work)
        wanted = records(work.part.dns_names, addresses, server.site.zones)
        before = _written(work)
        _write(work, (*before, *wanted))
        for line in (*_drop(work, server, [one for one in before if one not in wanted]), *_put(work, server, wanted)):
            work.say(line)
        _write(work, wanted)
        done += spoken(wanted)
        if lost := without_way_back(addresses, server.site.zones):
            owed.append(f"No zone of the site file has names for {', '.join(lost)}, so no name leads back from there.")
    if addresses_of := _addresses(work):
        stay = frozenset(without_prefix(address) for address, _ in every_address(work.part))
        _release(work, addresses_of, lambda address: address not in stay)
        done.append(f"{work.part.registered_in} has {', '.join(sorted(stay))} as {work.part.label}'s.")
    return {"registered": done, "not_registered": owed}


def withdraw(work: Work) -> Json:
    """Names, before the machines are removed."""
    for line in _not_told(work):
        work.say(line)
    if server := _names(work):
        for line in _drop(work, server, _written(work)):
            work.say(line)
        _write(work, ())
    return {}


def release(work: Work) -> Json:
    """Addresses, when the machines are gone."""
    if register := _addresses(work):
        _release(work, register, lambda address: True)
    return {}


def _names(work: Work) -> Updates | None:
    """None where the part has none, or the site file names no server any more: whoever took it out goes on without."""
    site = work.world.site.names
    return open_updates(site) if site and work.part.dns_names else None


def _addresses(work: Work) -> AddressRegister | None:
    site = work.world.site.ipam
    return open_ipam(site) if site and work.part.registered_in else None


def _not_told(work: Work) -> Iterator[str]:
    site, part = work.world.site, work.part
    if part.dns_names and site.names is None:
        stands = ", ".join(one.spelled for one in _written(work))
        left = f" These stand there: {stands}." if stands else ""
        yield f"The site file names no name server any more, so none was told of {part.label}.{left}"
    if part.registered_in and site.ipam is None:
        text = f"The site file names no {part.registered_in} any more, so it was told nothing."
        yield f"{text} What it has of {part.label} begins with “{owner(work.run_id, part)}”."


def _assert_names_free(work: Work, server: Updates) -> None:
    work.say(f"Looking whether {server.site.server} has these names free: {', '.join(str(name) for _, name in work.part.dns_names)}.")
    wanted = records(work.part.dns_names, fixed_addresses(work.part), server.site.zones)
    # Which family a network will give an address of is not known yet.
    asked = {(one.name, one.kind) for one in wanted} | {(str(name), kind) for _, name in work.part.dns_names for kind in KINDS}
    for name, kind in sorted(asked):
        if others := server.others(name, kind, owner(work.run_id, work.part)):
            raise taken(name, others)


def _reserve_addresses(work: Work, register: AddressRegister) -> None:
    """All or none: what was taken first is given back where a later one is another's."""
    part, mine = work.part, owner(work.run_id, work.part)
    names, fresh = dict(part.dns_names), list[str]()
    named = {address: str(names.get(what, "")) for what, address in part.virtual_addresses}
    try:
        for address, machine in every_address(part):
            if register.reserve(address, mine, note(work.run_id, part, machine), named.get(address, str(names.get(machine.name, "")))):
                fresh.append(without_prefix(address))
                work.say(f"{without_prefix(address)} is registered in {part.registered_in} for {machine.name}.")
    except Trouble:
        if fresh:
            register.release(mine, lambda address: address in fresh)
        raise


def _release(work: Work, register: AddressRegister, goes: Callable[[str], bool]) -> None:
    for address in register.release(owner(work.run_id, work.part), goes):
        work.say(f"{address} is free in {work.part.registered_in} again.")


def _met(work: Work) -> dict[str, tuple[str, ...]]:
    """Addresses as they are by now: those that the network gave, too."""
    fixed = fixed_addresses(work.part)
    met = {host.name: (host.address, *fixed.get(host.name, ())) for host in work.context().hosts() if host.address}
    return fixed | {name: tuple(dict.fromkeys(several)) for name, several in met.items()}


def _put(work: Work, server: Updates, wanted: Iterable[Record]) -> Iterator[str]:
    for record in wanted:
        if server.put(record, owner(work.run_id, work.part)):
            yield f"{record.name} leads to {record.data} from now on."


def _drop(work: Work, server: Updates, gone: Iterable[Record]) -> Iterator[str]:
    for record in gone:
        if server.drop(record, owner(work.run_id, work.part)):
            yield f"{record.name} does not lead to {record.data} any more."
        elif record.data in server.values(record.name, record.kind):
            why = f"{record.name} leads to {record.data} at the name server, without Berth's mark that says it is {work.part.label}'s"
            yield f"{why}: it is left there. Take it away at the name server if nobody needs it."


def _written(work: Work) -> tuple[Record, ...]:
    """What stands at the name server because of this part, or may."""
    path = work.part_folder / FILE
    return tuple(Record.model_validate(one) for one in json.loads(path.read_text())) if path.exists() else ()


def _write(work: Work, found: Iterable[Record]) -> None:
    text = json.dumps([one.model_dump() for one in dict.fromkeys(found)], indent=1)
    write_private(work.part_folder / FILE, f"{text}\n")
