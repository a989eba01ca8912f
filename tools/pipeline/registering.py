"""Puts what a part makes into the site's registers, and takes it out again: names at the name server. What it is to be told is decided in
tools.rules.machines.registering.

What stands at the name server because of the part is written down beside its Terraform state before it is asked for: so a run that dies
in between leaves nothing there that nobody knows of, and only what Berth put there is taken away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tools.clients.files import write_private
from tools.clients.name_server import Updates, open_updates, taken
from tools.pipeline.context import Examined
from tools.pipeline.steps import Work
from tools.rules.machines.registering import fixed_addresses, records, spoken, without_way_back
from tools.values.names import Kind, Record
from tools.values.site import Site
from tools.values.trouble import Trouble
from tools.values.value import Json

FILE = "names.json"
KINDS: tuple[Kind, ...] = ("A", "AAAA")


def examine(site: Site) -> Iterator[Examined]:
    """Whether the site's registers would take what a run tells them. Nothing is changed there."""
    if (server := site.names) is None:
        return
    for zone in server.zones:
        try:
            open_updates(server).assert_changes(zone)
            yield Examined(f"names, {zone}", True, f"{server.server} lets Berth change it")
        except Trouble as trouble:
            yield Examined(f"names, {zone}", False, f"{trouble.summary} {trouble.detail}", trouble.remedy)


def reserve(work: Work) -> Json:
    """Before anything is made: a name that is another's is told while there is nothing to take back."""
    if (server := _server(work)) is None:
        return {}
    work.say(f"Looking whether {server.site.server} has these names free: {', '.join(str(name) for _, name in work.part.dns_names)}.")
    wanted = records(work.part.dns_names, fixed_addresses(work.part), server.site.zones)
    ours = {(one.name, one.kind, one.data) for one in (*_written(work), *wanted)}
    # Which family a network will give an address of is not known yet.
    asked = {(one.name, one.kind) for one in wanted} | {(str(name), kind) for _, name in work.part.dns_names for kind in KINDS}
    for name, kind in sorted(asked):
        if others := [one for one in server.values(name, kind) if (name, kind, one) not in ours]:
            raise taken(name, others)
    return {}


def register(work: Work) -> Json:
    """What became of it: {registered, not_registered}, sentences."""
    if (server := _server(work)) is None:
        return {"registered": [], "not_registered": [_nobody_told(work)]}
    addresses = _addresses(work)
    wanted = records(work.part.dns_names, addresses, server.site.zones)
    before = _written(work)
    _write(work, (*before, *wanted))
    for line in (*_drop(server, [one for one in before if one not in wanted]), *_put(server, wanted)):
        work.say(line)
    _write(work, wanted)
    lost = without_way_back(addresses, server.site.zones)
    owed = [f"No zone of the site file has names for {', '.join(lost)}, so no name leads back from there."] if lost else []
    return {"registered": list(spoken(wanted)), "not_registered": owed}


def withdraw(work: Work) -> Json:
    """Before the machines are removed."""
    if (server := _server(work)) is None:
        work.say(_nobody_told(work))
        return {}
    for line in _drop(server, _written(work)):
        work.say(line)
    _write(work, ())
    return {}


def _server(work: Work) -> Updates | None:
    """None where the site file names no name server any more: whoever took it out goes on without."""
    return open_updates(work.world.site.names) if work.world.site.names else None


def _nobody_told(work: Work) -> str:
    stands = ", ".join(one.spelled for one in _written(work))
    left = f" These stand there: {stands}." if stands else ""
    return f"The site file names no name server any more, so none was told of {work.part.label}.{left}"


def _addresses(work: Work) -> dict[str, tuple[str, ...]]:
    """As they are by now: those that the network gave, too."""
    fixed = fixed_addresses(work.part)
    met = {host.name: (host.address, *fixed.get(host.name, ())) for host in work.context().hosts() if host.address}
    return fixed | {name: tuple(dict.fromkeys(several)) for name, several in met.items()}


def _put(server: Updates, wanted: Iterable[Record]) -> Iterator[str]:
    for record in wanted:
        if server.put(record):
            yield f"{record.name} leads to {record.data} from now on."


def _drop(server: Updates, gone: Iterable[Record]) -> Iterator[str]:
    for record in gone:
        if server.drop(record):
            yield f"{record.name} does not lead to {record.data} any more."


def _written(work: Work) -> tuple[Record, ...]:
    """What stands at the name server because of this part, or may."""
    path = work.part_folder / FILE
    return tuple(Record.model_validate(one) for one in json.loads(path.read_text())) if path.exists() else ()


def _write(work: Work, found: Iterable[Record]) -> None:
    text = json.dumps([one.model_dump() for one in dict.fromkeys(found)], indent=1)
    write_private(work.part_folder / FILE, f"{text}\n")
