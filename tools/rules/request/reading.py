"""Reads facts into fields: what was said becomes a typed field, what is lacking is asked for, what cannot be taken is told, and what
nobody looks at is told as not included.

Where machines go and what they are called is read in tools.rules.request.placing. How large things become is decided in
tools.rules.sizing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.rules.hearing.tokens import quantities
from tools.rules.names import naming
from tools.rules.names.text import spell_size
from tools.rules.sizing.sizing import Assumption
from tools.values.request import Fact
from tools.values.requirements import Field, Missing, Needs, Origin, Source
from tools.values.snapshot import PlatformName
from tools.values.wanted import Wanted

CPU_COUNT_MAX = 1024
"""What the bpg/proxmox provider takes as cpu.cores; 0.111.1."""
MEMORY_MIB_MIN, MEMORY_MIB_MAX = 256, 16 * 2**20
"""Debian 12's installation guide names 256 MiB as the least without a desktop; 16 TiB is beyond any node we know of."""
DISK_GIB_MIN, DISK_GIB_MAX = 1, 64 * 1024
PLAIN = "virtual_machine"
"""The service that stands in for what is not made here: it is installed by whoever asked for it."""
Value = int | float | bool | str | tuple[str, ...]


class Said(dict[str, Fact]):
    """What was said, by the name of the fact. It notes which facts are looked at: the others are not included in what will be done."""

    def __init__(self, facts: tuple[Fact, ...]) -> None:
        super().__init__({fact.name: fact for fact in facts})  # the later fact wins
        self.read = {"platform"}  # looked at before anything else is

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    @property
    def unread(self) -> list[Fact]:
        return [fact for name, fact in self.items() if name not in self.read]


@dataclass
class Reading:
    """One reading of one ask: filled in by the capability's `understand`, handed on as Needs."""

    capability: str
    platform: PlatformName
    wanted: tuple[Wanted, ...]
    facts: Said
    fields: list[Field] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    not_included: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, capability: str, platform: PlatformName, wanted: tuple[Wanted, ...], facts: tuple[Fact, ...]) -> Reading:
        return cls(capability, platform, wanted, Said(facts))

    def needs(self) -> Needs:
        return Needs(
            capability=self.capability,
            platform=self.platform,
            fields=tuple(self.fields),
            missing=tuple(self.missing),
            problems=tuple(dict.fromkeys(self.problems)),
            disputed=tuple(dict.fromkeys(self.disputed)),
            not_included=(*self.not_included, *(f"{one.name.replace('_', ' ')}: {naming.shorten(one.quote)}" for one in self.facts.unread)),
        )

    def said(self, name: str, value: Value, unit: str = "", *, fact: str = "", because: str = "") -> None:
        """`because`: how it follows from what was said, where that is another fact."""
        words = self.facts[fact or name].quote
        self.fields.append(Field(name=name, value=value, unit=unit, origin=Origin.SAID, words=words, because=because))

    def default(self, name: str, value: Value, because: str, unit: str = "") -> None:
        self.fields.append(Field(name=name, value=value, unit=unit, origin=Origin.DEFAULT, because=because))

    def assumed(
        self,
        name: str,
        value: Value,
        because: str,
        unit: str = "",
        *,
        low: float | None = None,
        high: float | None = None,
        source: Source | None = None,
    ) -> None:
        self.fields.append(
            Field(name=name, value=value, unit=unit, origin=Origin.ASSUMED, because=because, low=low, high=high, source=source)
        )

    def suppose(self, name: str, assumption: Assumption, unit: str) -> None:
        """A size for which nothing is published, with its range."""
        a = assumption
        self.assumed(name, a.value, a.because, unit, low=a.low, high=a.high, source=a.source)

    def refuse_other_makes(self, fact: str, ours: str, sentence: str) -> None:
        """A make that is not ours is never replaced by ours without a word. Ours is a choice of the fact; `sentence` says `{other}`."""
        said = self.facts[fact].value.strip().lower() if fact in self.facts else ""
        known = next((c for c in self._choices(fact) if said in (c[0].lower(), *c[1])), None)
        if said and (known is None or known[0] != ours):
            other = known[0] if known else naming.shorten(self.facts[fact].value.strip())
            self.refuse(f"{sentence.format(other=other)}, or ask for a plain VM and install it yourself.", fact, PLAIN)

    def _choices(self, fact: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return next((one.choices for one in self.wanted if one.name == fact), ())

    def ask(self, name: str) -> None:
        wanted = next(w for w in self.wanted if w.name == name)
        self.missing.append(Missing(name=name, question=wanted.question, suggestions=wanted.suggestions))

    def refuse(self, sentence: str, *disputed: str) -> None:
        """What was said of these facts cannot be taken: what is said next without a label is of them. A capability among them is offered
        in its place."""
        self.problems.append(sentence)
        self.disputed += disputed

    # What was said, as a number or None; what cannot be taken goes to the problems.

    def count(self, name: str, subject: str, low: int, high: int, why: str) -> int | None:
        if name not in self.facts:
            return None
        text = self.facts[name].value
        number = quantities.count(text)
        if number is None:
            self.refuse(f"{naming.shorten(text)} is no {subject} that I can read. Say it as a whole number, such as {low}.", name)
        elif not low <= number <= high:
            self.refuse(f"{_grouped(number)} {subject}: {why} Say a number from {_grouped(low)} to {_grouped(high)}.", name)
        else:
            return number
        return None

    def size(self, name: str, subject: str, unit_bytes: int, low: int, high: int, why: str) -> int | None:
        """In whole units, rounded up."""
        if name not in self.facts:
            return None
        text = self.facts[name].value
        size_bytes = machine_bytes(text)
        if size_bytes is None:
            self.refuse(f"{naming.shorten(text)} is no {subject} that I can read. Say it with its unit, such as 8 GB.", name)
            return None
        size = -(-size_bytes // unit_bytes)
        if not low <= size <= high:
            least, most = spell_size(low * unit_bytes), spell_size(high * unit_bytes)
            self.refuse(f"{naming.shorten(text)} of {subject} cannot be: {why} Say a size from {least} to {most}.", name)
            return None
        return size

    def money(self, name: str, subject: str) -> tuple[float, str] | None:
        """The sum of a month, and its currency where one was said."""
        if name not in self.facts:
            return None
        text = self.facts[name].value
        money = quantities.money(text)
        amount = money.monthly if money else quantities.count(text)
        if amount is None or amount <= 0:
            self.refuse(f"{naming.shorten(text)} cannot be {subject}. Say a sum above nothing, such as $8,000 a month.", name)
            return None
        return round(float(amount), 2), money.currency if money else ""


def machine_bytes(text: str) -> int | None:
    """A size as people say it of machines: 8 GB is 8 GiB there, as in Proxmox VE's own forms, and a bare 8 means GiB."""
    plain = text.strip()
    if plain.lstrip("+-").replace(".", "", 1).isdecimal():
        plain = f"{plain} GiB"
    return quantities.size_bytes(plain)


def _grouped(number: int) -> str:
    return f"{number:,}"


def read_sizes(reading: Reading, of: str = "") -> tuple[int | None, int | None, int | None]:
    """vCPUs, memory in MiB and disk in GiB, as far as they were said: of all machines, or in facts whose names begin with `of`."""
    cpu_count = reading.count(
        f"{of}cpu_count",
        "cores",
        1,
        CPU_COUNT_MAX,
        "a machine needs at least one, and no virtual machine of Proxmox VE has more than 1,024.",
    )
    memory_mib = reading.size(
        f"{of}memory",
        "memory",
        2**20,
        MEMORY_MIB_MIN,
        MEMORY_MIB_MAX,
        "it has to start a system and fit in a node.",
    )
    disk_gib = reading.size(f"{of}disk", "disk", 2**30, DISK_GIB_MIN, DISK_GIB_MAX, "a disk has to hold its system and fit a storage.")
    return cpu_count, memory_mib, disk_gib


def settle_sizes(reading: Reading, cpu_count: Assumption, memory_mib: Assumption, disk_gib: Assumption) -> None:
    """Each size as it was said, else as assumed. One that was said but cannot be taken stays out: its problem is told."""
    said = dict(zip(("cpu_count", "memory", "disk"), read_sizes(reading), strict=True))
    for fact, name, unit, assumption in (
        ("cpu_count", "cpu_count", "vCPU", cpu_count),
        ("memory", "memory_mib", "MiB", memory_mib),
        ("disk", "disk_gib", "GiB", disk_gib),
    ):
        value = said[fact]
        if value is not None:
            reading.said(name, value, unit, fact=fact)
        elif fact not in reading.facts:
            reading.suppose(name, assumption, unit)
