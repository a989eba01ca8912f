"""A service that is machines, a playbook and nothing else that needs a program: its folder's service.toml is the whole of it.

What is asked for stands in facts.toml beside it, as for every service. CONTRIBUTING.md says what the table may state; a service that needs
more (sizes by a formula, checks of its own) states it in Python, by tools.capabilities.on_machines.
"""

from __future__ import annotations

import ipaddress
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

from pydantic import Field

from tools.capabilities import Footing
from tools.capabilities.grounds import Ground
from tools.capabilities.on_machines import Check, SetUp, anywhere, no_checks
from tools.data import table
from tools.rules.azure.facts import OF_AZURE
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names import naming
from tools.rules.names.private import is_private
from tools.rules.names.text import spell_size
from tools.rules.request.attaching import read_acme
from tools.rules.request.reading import DISK_GIB_MAX, Reading, read_sizes
from tools.rules.request.wanting import named, wanted
from tools.rules.sizing.sizing import SYSTEM_DISK_GIB, SYSTEM_MEMORY_GIB, Assumption
from tools.rules.words.guiding import common, from_here, on_machine
from tools.rules.words.rendering import bare
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part, Secret, TlsCertificate
from tools.values.request import Fact
from tools.values.requirements import Needs, Source
from tools.values.site import Site
from tools.values.snapshot import PlatformName
from tools.values.value import Json, Value
from tools.values.wanted import Wanted

DATE = "2026-11-29"
"""When the assumptions of the tables were made."""
COMMUNITY = "community-scripts/ProxmoxVE, 2026-08-08, row"
SYSTEM_MIB = int(SYSTEM_MEMORY_GIB * 1024)
ITEMS_MAX = 50
"""Of one list that is said: addresses, packages, names."""
OPEN = "would let the internet in. Say networks of your own: private ones, or public ones no wider than a /16, in IPv6 a /32."
PUBLIC_PREFIX_MIN = {4: 16, 6: 32}
"""Of public addresses, the widest network that may be one owner's: an assumption. A provider is allocated a /32 of IPv6 (RIPE-738)."""


class Size(Value):
    """What is taken where no size is said; `low` is the community's row where there is one, which installs and runs."""

    value: int
    high: int
    because: str
    low: int = 0
    row: str = ""
    """An application of community-minimums.csv."""
    growth: float = 1.2
    """For the disk: how much of it data gets, for each part that was said of it. An assumption, told as one."""


class Told(Value):
    """How what is said of a fact becomes a field. Its kind and its words stand in facts.toml."""

    default: int | str | tuple[str, ...] | None = None
    because: str = ""
    pattern: str = ""
    """Of a text, or of each one of a list: what is not of this form is a problem. A text without one is never taken, since it would reach
    lines of a shell."""
    otherwise: str = ""
    """The rest of that problem's sentence, behind what was said."""
    several: bool = False
    closed: bool = False
    """Of networks: none that would let the internet in."""
    low: int = 1
    high: int = 1_000_000


class Line(Value):
    """A command of the guide. Its words are a template over the fields and the playbook's variables; `{address}` and the like stay."""

    purpose: str
    on_machine: str = ""
    """What the machine's shell runs."""
    from_here: str = ""
    """What this computer's shell runs, through SSH to `port`."""
    here: str = ""
    """What this computer's shell runs as it is."""
    on_terminal: str = ""
    """What stays, on a terminal of the machine."""
    port: int = 0
    expect: str = ""
    when: str = ""
    """The field without which it is left out."""
    unless: str = ""
    """The field with which it is left out."""
    own_kernel: bool = False
    """Of a line on the machine: it needs a kernel that is the machine's own."""


class Table(Value):
    title: str
    called: str
    """What its machines are called by the site's convention."""
    words: tuple[str, ...]
    examples: tuple[str, ...]
    environment: str = ""
    """Taken where none is said; without it, it is asked for."""
    sizes: dict[str, Size]
    facts: dict[str, Told] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    """Name → kind; the playbook is given one by a variable that names it."""
    certificates: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Name → the fields that have the names it is for. The playbook is given one as a secret."""
    ports: tuple[str, ...] | None = None
    """That it serves, each as `443` or `53/udp`. With it, the service stands on machines in Azure as well."""
    serves: tuple[str, ...] = ()
    """The same, of a service that stands on a cluster alone."""
    acme: bool = False
    """The machine has its certificates signed by the site's ACME server, where the site has one; then the playbook is given none."""
    variables: dict[str, Json] = Field(default_factory=dict)
    """Of the playbook: a plain value, `{fact = …}` (and `otherwise`), `{secret = …}`, or `{memory_share = …}`, a row of
    service-figures.csv, of the memory that the system leaves."""
    commands: tuple[Line, ...]


SIZES = {"cpu_count": ("cpu_count", "vCPU", 1), "memory_mib": ("memory", "MiB", 2**20), "disk_gib": ("disk", "GiB", 2**30)}
"""Field → (its fact, its unit, bytes of that unit)."""


class Stated(NamedTuple):
    """What a capability's package offers."""

    NAME: str
    TITLE: str
    WORDS: tuple[str, ...]
    EXAMPLES: tuple[str, ...]
    WANTED: tuple[Wanted, ...]
    ON: Mapping[PlatformName, Footing]


def by_table(
    package: str,
    *,
    checks: Callable[[Part], Iterable[Check]] = no_checks,
    derived: Callable[[Needs], dict[str, Json]] = lambda needs: {},
) -> Stated:
    """`checks` and variables that are `derived` from what is needed are for the little that a table cannot say."""
    name = package.rpartition(".")[2]
    told = read(package)
    facts = wanted(package, every_machine=EVERY_MACHINE)
    service = Service(name, told, facts if told.ports is None else (*facts, *OF_AZURE), derived)
    set_up = SetUp(
        playbook=f"{name}.yml",
        commands=service.commands,
        variables=service.variables,
        secrets=tuple(Secret.model_validate({"name": secret, "kind": kind}) for secret, kind in told.secrets.items()),
        certificates=service.certificates,
        checks=checks,
        serves=told.serves,
    )
    on = anywhere(service.understand, set_up, told.ports or ())
    at: Mapping[PlatformName, Footing] = on if told.ports is not None else {"proxmox": on["proxmox"]}
    return Stated(name, told.title, told.words, told.examples, service.wanted, at)


@cache
def read(package: str) -> Table:
    return Table.model_validate(tomllib.loads(resources.files(package).joinpath("service.toml").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Service:
    name: str
    table: Table
    wanted: tuple[Wanted, ...]
    derived: Callable[[Needs], dict[str, Json]]

    def understand(self, facts: tuple[Fact, ...], site: Site, ground: Ground) -> Needs:
        reading = Reading.of(self.name, ground.platform, self.wanted, facts)
        for fact, told in self.table.facts.items():
            _read(reading, named(self.wanted, fact), told)
        data_gib = self._read_data(reading)
        if self.table.acme:
            read_acme(reading, site)
        ground.read_placing(reading, site, self.table.called, self.table.environment)
        self._settle_sizes(reading, data_gib)
        return reading.needs()

    def variables(self, part: Part) -> dict[str, Json]:
        made_there = () if self.certificates(part) else tuple({"secret": name} for name in self.table.certificates)
        told = {name: one for name, one in self.table.variables.items() if one not in made_there}
        return {name: _value(one, part) for name, one in told.items()} | self.derived(part.needs)

    def certificates(self, part: Part) -> tuple[TlsCertificate, ...]:
        """Those that Berth makes: none where the machine has them signed itself."""
        if part.needs.text("acme_directory"):
            return ()
        return tuple(
            TlsCertificate(name=name, names=tuple(map(part.needs.text, fields))) for name, fields in self.table.certificates.items()
        )

    def commands(self, machine: AnyMachine, part: Part) -> tuple[Command, ...]:
        known = {field.name: field.value for field in part.needs.fields} | self.variables(part)
        has = part.needs.field
        lines = (line for line in self.table.commands if (not line.when or has(line.when)) and not (line.unless and has(line.unless)))
        return (*(_command(machine, line, known) for line in lines), *common(machine))

    def _read_data(self, reading: Reading) -> int:
        """Of a service that keeps data: how much, in GiB; 0 where nothing was said."""
        if not any(one.name == "data_size" for one in self.wanted):
            return 0
        data_gib = reading.size("data_size", "data", 2**30, 1, DISK_GIB_MAX // 2, "it is kept on one disk, with room to grow.")
        if data_gib is not None:
            reading.said("data_gib", data_gib, "GiB", fact="data_size")
        return data_gib or 0

    def _settle_sizes(self, reading: Reading, data_gib: int) -> None:
        """Each as it was said, when that is enough to install and to run; else as the table has it, or by the data."""
        for (name, (fact, unit, unit_bytes)), value in zip(SIZES.items(), read_sizes(reading), strict=True):
            assumption = _assumption(name, self.table.sizes[name])
            if name == "disk_gib" and data_gib:
                assumption = _with_data(data_gib, self.table.sizes[name], assumption)
            if value is not None and value >= assumption.low:
                reading.said(name, value, unit, fact=fact)
            elif value is not None:
                least = f"{assumption.low} cores" if name == "cpu_count" else f"{spell_size(assumption.low * unit_bytes)} of {fact}"
                reading.refuse(
                    f"{naming.shorten(reading.facts[fact].quote)} is too little for the system and what is asked for. Say {least} or more.",
                    fact,
                )
            elif fact not in reading.facts:
                reading.suppose(name, assumption, unit)


def _read(reading: Reading, one: Wanted, told: Told) -> None:
    if one.name not in reading.facts:
        if told.default is not None:
            reading.default(one.name, told.default, told.because)
        elif one.question:
            reading.ask(one.name)
        return
    if one.kind == "count":
        number = reading.count(one.name, one.name.replace("_", " "), told.low, told.high, f"it is {one.meaning}.")
        if number is not None:
            reading.said(one.name, number)
    else:
        _read_words(reading, one, told, reading.facts[one.name].value.strip())


def _read_words(reading: Reading, one: Wanted, told: Told, text: str) -> None:
    """A text, or several; each of the form that the table states, or an address where the fact is one."""
    found = [word for word in re.split(r"[ ,]+", text) if word and word.lower() != "and"] if told.several else [text]
    wrong = [word for word in found if not _fits(one, told, word)]
    wide = [word for word in found if told.closed and word not in wrong and _is_open(word)]
    if wide:
        reading.refuse(f"{', '.join(wide)} {OPEN}", one.name)
    elif wrong or not found or len(found) > ITEMS_MAX:
        shown = naming.shorten(wrong[0]) if wrong else f"{len(found)} at once"
        reading.refuse(f"{shown} {told.otherwise}", one.name)
    else:
        reading.said(one.name, tuple(dict.fromkeys(found)) if told.several else found[0])


def _fits(one: Wanted, told: Told, word: str) -> bool:
    if told.pattern and not re.fullmatch(told.pattern, word):
        return False
    if one.kind != "address":
        return bool(told.pattern)
    try:
        ipaddress.ip_network(word)
    except ValueError:
        return False
    return True


def _is_open(word: str) -> bool:
    network = ipaddress.ip_network(word)
    return not is_private(word) and network.prefixlen < PUBLIC_PREFIX_MIN[network.version]


def _assumption(name: str, size: Size) -> Assumption:
    row = next((one for one in table("community-minimums") if one["application"] == size.row), None)
    low = int(row[name]) if row else size.low
    title = "Berth's own assumption" + (f"; lower end: {COMMUNITY} {size.row}" if row else "")
    return Assumption(size.value, low, size.high, size.because, Source(title=title, date=DATE, grade="assumption"))


def _with_data(data_gib: int, size: Size, bare_disk: Assumption) -> Assumption:
    system = max(SYSTEM_DISK_GIB, bare_disk.low)
    value = math.ceil(data_gib * size.growth) + system
    return Assumption(
        value=min(value, DISK_GIB_MAX),
        low=data_gib + system,
        high=min(math.ceil(data_gib * size.growth * 2) + system, DISK_GIB_MAX),
        because=f"{data_gib:,} GiB of data, {size.growth - 1:.0%} more for growth, and {system} GiB for the system.",
        source=bare_disk.source,
    )


def _value(told: Json, part: Part) -> Json:
    if not isinstance(told, dict):
        return told
    match told:
        case {"fact": name}:
            field = part.needs.field(str(name))
            value = field.value if field else told.get("otherwise", "")
            return list(value) if isinstance(value, tuple) else value
        case {"memory_share": figure}:
            # Of what the system leaves; the machines of a service are alike.
            free_mib = part.every_machine[0].memory_mib - SYSTEM_MIB
            return max(1, math.floor(free_mib * _figure(str(figure))))
        case _:
            return dict(told)


def _figure(name: str) -> float:
    return next(float(row["value"]) for row in table("service-figures") if row["figure"] == name)


def _command(machine: AnyMachine, line: Line, known: Mapping[str, Json]) -> Command:
    def drawn(template: str) -> str:
        return bare().from_string(template).render({**known, "machine_name": machine.name})

    if line.from_here:
        return from_here(machine.name, line.purpose, line.port, drawn(line.from_here), drawn(line.expect))
    if line.here:
        return Command(purpose=line.purpose, argv=("sh", "-c", drawn(line.here)), machine=machine.name, expect=drawn(line.expect))
    if line.on_terminal:
        argv = ("ssh", "-F", "{run}/ssh_config", "-t", "{machine}", drawn(line.on_terminal))
        return Command(purpose=line.purpose, argv=argv, machine=machine.name)
    told = on_machine(machine.name, line.purpose, drawn(line.on_machine), drawn(line.expect))
    return told.model_copy(update={"own_kernel": line.own_kernel})
