"""Reads facts into fields: what was said becomes a typed field, what is lacking is asked for, what cannot be taken is told.

It knows the facts that every request for machines shares. How large things become is decided in tools.rules.sizing,
and whether a cluster has a node or a network of that name when the cluster has been looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.rules.hearing import quantities
from tools.rules.names import naming
from tools.rules.names.text import spell_size
from tools.rules.sizing.sizing import Assumption
from tools.values.request import Fact
from tools.values.requirements import Field, Missing, Needs, Origin, Source
from tools.values.site import Site
from tools.values.snapshot import PlatformName
from tools.values.wanted import Wanted

CPU_COUNT_MAX = 1024
"""What the bpg/proxmox provider takes as cpu.cores; 0.111.1."""
MEMORY_MIB_MIN, MEMORY_MIB_MAX = 256, 16 * 2**20
"""Debian 12's installation guide names 256 MiB as the least without a desktop; 16 TiB is beyond any node we know of."""
DISK_GIB_MIN, DISK_GIB_MAX = 1, 64 * 1024
NO_KEY = ("no key", "none", "no")
KEY_KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)

Value = int | float | bool | str | tuple[str, ...]


@dataclass
class Reading:
    """One reading of one ask: filled in by the capability's `understand`, handed on as Needs."""

    capability: str
    platform: PlatformName
    wanted: tuple[Wanted, ...]
    facts: dict[str, Fact]
    fields: list[Field] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, capability: str, platform: PlatformName, wanted: tuple[Wanted, ...], facts: tuple[Fact, ...]) -> Reading:
        return cls(capability, platform, wanted, {fact.name: fact for fact in facts})  # the later fact wins

    def needs(self) -> Needs:
        return Needs(
            capability=self.capability,
            platform=self.platform,
            fields=tuple(self.fields),
            missing=tuple(self.missing),
            problems=tuple(self.problems),
        )

    def said(self, name: str, value: Value, unit: str = "", *, fact: str = "") -> None:
        words = self.facts[fact or name].quote
        self.fields.append(Field(name=name, value=value, unit=unit, origin=Origin.SAID, words=words))

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
            self.problems.append(f"{sentence.format(other=other)}, or ask for a plain VM and install it yourself.")

    def _choices(self, fact: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return next((one.choices for one in self.wanted if one.name == fact), ())

    def ask(self, name: str) -> None:
        wanted = next(w for w in self.wanted if w.name == name)
        self.missing.append(Missing(name=name, question=wanted.question, suggestions=wanted.suggestions))

    # What was said, as a number or None; what cannot be taken goes to the problems.

    def count(self, name: str, subject: str, low: int, high: int, why: str) -> int | None:
        if name not in self.facts:
            return None
        text = self.facts[name].value
        number = quantities.count(text)
        if number is None:
            self.problems.append(f"{naming.shorten(text)} is no {subject} that I can read. Say it as a whole number, such as {low}.")
        elif not low <= number <= high:
            self.problems.append(f"{_grouped(number)} {subject}: {why} Say a number from {_grouped(low)} to {_grouped(high)}.")
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
            self.problems.append(f"{naming.shorten(text)} is no {subject} that I can read. Say it with its unit, such as 8 GB.")
            return None
        size = -(-size_bytes // unit_bytes)
        if not low <= size <= high:
            least, most = spell_size(low * unit_bytes), spell_size(high * unit_bytes)
            self.problems.append(f"{naming.shorten(text)} of {subject} cannot be: {why} Say a size from {least} to {most}.")
            return None
        return size


def machine_bytes(text: str) -> int | None:
    """A size as people say it of machines: 8 GB is 8 GiB there, as in Proxmox VE's own forms, and a bare 8 means GiB."""
    plain = text.strip()
    if plain.lstrip("+-").replace(".", "", 1).isdigit():
        plain = f"{plain} GiB"
    return quantities.size_bytes(plain)


def _grouped(number: int) -> str:
    return f"{number:,}"


def read_placing(reading: Reading, site: Site, *, workload: str, environment: str = "") -> None:
    """What every request for machines says of where they go, how many they are and what they are called."""
    _read_environment(reading, site, environment)
    _read_network(reading, site)
    _read_count_and_name(reading, site, workload)
    for name in ("node", "storage"):
        if name in reading.facts:
            reading.said(name, reading.facts[name].value.strip())
    if "template" in reading.facts:
        reading.said("os", reading.facts["template"].value.strip().lower(), fact="template")
    elif "os" in reading.facts:
        reading.said("os", reading.facts["os"].value.strip().lower())
    else:
        reading.default("os", "debian", "Debian unless another system is asked for.")
    _read_public_key(reading, site)


def read_sizes(reading: Reading) -> tuple[int | None, int | None, int | None]:
    """vCPUs, memory in MiB and disk in GiB, as far as they were said."""
    cpu_count = reading.count(
        "cpu_count",
        "cores",
        1,
        CPU_COUNT_MAX,
        "a machine needs at least one, and no virtual machine of Proxmox VE has more than 1,024.",
    )
    memory_mib = reading.size(
        "memory",
        "memory",
        2**20,
        MEMORY_MIB_MIN,
        MEMORY_MIB_MAX,
        "it has to start a system and fit in a node.",
    )
    disk_gib = reading.size("disk", "disk", 2**30, DISK_GIB_MIN, DISK_GIB_MAX, "a disk has to hold its system and fit a storage.")
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


def _read_environment(reading: Reading, site: Site, default: str) -> None:
    known = [e.name for e in site.environments]
    if "environment" in reading.facts:
        value = reading.facts["environment"].value.strip().lower()
        if value in known:
            reading.said("environment", value)
        else:
            reading.problems.append(naming.unknown("environment", value, known))
    elif default:
        reading.default("environment", default, f"It is a {default} machine by what it is for.")
    else:
        reading.ask("environment")


def _read_network(reading: Reading, site: Site) -> None:
    if "network" in reading.facts:
        value = reading.facts["network"].value.strip()
        if value and len(value) <= 40 and value.isprintable():
            reading.said("network", value)
        else:
            reading.problems.append(f"{naming.shorten(value)} cannot be the name of a network. Say its name or VLAN, such as 20.")
    elif site.default_network:
        reading.default("network", site.default_network, "The site's default network.")
    else:
        reading.ask("network")


def _read_count_and_name(reading: Reading, site: Site, workload: str) -> None:
    count = reading.count("count", "machines", 1, site.machines_max, "that many cannot be made in one request.")
    if count is not None:
        reading.said("count", count, "machines")
    elif "count" not in reading.facts:
        reading.default("count", 1, "One machine unless several are asked for.", "machines")
    if "name" in reading.facts:
        name = reading.facts["name"].value.strip()
        problem = name_problem_of_all(name, count or 1)
        if problem:
            reading.problems.append(problem)
        else:
            reading.said("name", name)
    else:
        pattern = site.name_pattern.format(workload=workload, number=1)
        reading.default("workload", workload, f"Machines are named by the site's convention, such as {pattern}.")


def name_problem_of_all(name: str, count: int) -> str:
    return next((problem for one in naming.numbered(name, count) if (problem := naming.name_problem(one))), "")


def _read_public_key(reading: Reading, site: Site) -> None:
    if "public_key" not in reading.facts:
        if site.public_keys:
            reading.default("public_keys", site.public_keys, "The operator's own keys, as set for this site.")
        else:
            reading.ask("public_key")
        return
    key = " ".join(reading.facts["public_key"].value.split())
    if key.lower() in NO_KEY:
        reading.said("public_keys", site.public_keys, fact="public_key")
    elif key.split(" ")[0] in KEY_KINDS and len(key.split(" ")) >= 2 and key.isprintable() and len(key) < 4096:
        reading.said("public_keys", tuple(dict.fromkeys((*site.public_keys, key))), fact="public_key")
    elif "PRIVATE KEY" in key.upper():
        reading.problems.append("That is a private key, which must stay with you. Paste the public one: the line in the .pub file.")
    else:
        reading.problems.append(
            f"{naming.shorten(key, 30)} is not a public SSH key. Paste the one line of your .pub file, "
            "which begins with ssh-ed25519 or ssh-rsa, or say “no key”."
        )
