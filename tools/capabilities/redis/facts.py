"""What is wanted to know of a Redis server, and how it becomes typed needs. Where it goes is not decided here."""

from __future__ import annotations

from tools.capabilities.grounds import CLUSTER, Ground
from tools.capabilities.redis import sizes
from tools.rules.azure.facts import OF_AZURE
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names.text import spell_memory
from tools.rules.request.reading import Reading, read_sizes
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

# Not `redis cache`: a word that names the capability chooses nothing, and `cache` is to be heard as what it is for.
WORDS = ("redis", "redis server", "redis servers", "redis database", "redis databases", "redis db", "redis instance")

POLICIES = {"cache": "allkeys-lru", "store": "noeviction"}
"""What Redis does when its memory is full, by what it is for."""

WANTED = wanted(__package__, every_machine=EVERY_MACHINE, of_azure=OF_AZURE)


def understand(facts: tuple[Fact, ...], site: Site, ground: Ground = CLUSTER) -> Needs:
    reading = Reading.of("redis", ground.platform, WANTED, facts)
    reading.refuse_other_makes("edition", "plain Redis", "Berth makes single servers of Redis itself, not {other}. Say plain Redis")
    data_mib = _read_data(reading)
    _read_purpose(reading)
    ground.read_placing(reading, site, "redis")
    _settle_sizes(reading, data_mib)
    return reading.needs()


def policy(needs: Needs) -> str:
    return POLICIES[needs.text("purpose", "store")]


def _read_data(reading: Reading) -> int | None:
    why = "a server holds something, and no machine has the memory for more."
    data_mib = reading.size("data_size", "data", 2**20, 1, sizes.DATA_MIB_MAX, why)
    if data_mib is not None:
        reading.said("data_mib", data_mib, "MiB", fact="data_size")
    return data_mib


def _read_purpose(reading: Reading) -> None:
    said = reading.facts["purpose"].value.strip().lower() if "purpose" in reading.facts else ""
    if not said:
        reading.default("purpose", "store", "A store unless a cache is asked for: when its memory is full, nothing is dropped.")
    elif said in POLICIES:
        reading.said("purpose", said)
    else:
        reading.refuse("A Redis server is for a cache or for a store. Say cache or store.", "purpose")


def _settle_sizes(reading: Reading, data_mib: int | None) -> None:
    """Each size as it was said; else memory by the data, and the disk by the memory."""
    cpu_count, memory_mib, disk_gib = read_sizes(reading)
    if cpu_count is not None:
        reading.said("cpu_count", cpu_count, "vCPU")
    elif "cpu_count" not in reading.facts:
        reading.suppose("cpu_count", sizes.CPU, "vCPU")
    if memory_mib is not None:
        reading.said("memory_mib", memory_mib, "MiB", fact="memory")
        _check_memory(reading, memory_mib, data_mib or 0)
    elif data_mib is not None and "memory" not in reading.facts:
        assumption = sizes.memory(data_mib)
        reading.suppose("memory_mib", assumption, "MiB")
        memory_mib = assumption.value
    elif not {"memory", "data_size"} & set(reading.facts):
        # Said of the machine's memory, the size is enough: how much data fits follows from it.
        reading.ask("data_size")
    if disk_gib is not None:
        reading.said("disk_gib", disk_gib, "GiB", fact="disk")
        _check_disk(reading, disk_gib, data_mib or 0)
    elif memory_mib is not None and "disk" not in reading.facts:
        reading.suppose("disk_gib", sizes.disk(memory_mib, data_mib or 0), "GiB")


def _check_memory(reading: Reading, memory_mib: int, data_mib: int) -> None:
    least_mib = sizes.memory_least_mib(data_mib)
    if memory_mib >= least_mib:
        return
    if least_mib > sizes.LEAST.memory_mib:
        reading.refuse(
            f"{spell_memory(data_mib)} of data do not fit in {spell_memory(memory_mib)} of memory, of which the system needs a part. "
            f"Say {spell_memory(sizes.memory_comfortable_mib(data_mib))} of memory, which is enough while Redis saves, or less data.",
            "memory",
            "data_size",
        )
    else:
        reading.refuse(
            f"{spell_memory(memory_mib)} of memory is too little for Debian and Redis. "
            f"Say {spell_memory(sizes.LEAST.memory_mib)} of memory or more; if it is the data that you mean, "
            f"say `forget the memory, {spell_memory(memory_mib)} of data`.",
            "memory",
            "data_size",
        )


def _check_disk(reading: Reading, disk_gib: int, data_mib: int) -> None:
    least_gib = sizes.disk_least_gib(data_mib)
    if disk_gib < least_gib and data_mib:
        reading.refuse(
            f"{spell_memory(data_mib)} of data, the log of their writes and their snapshots do not fit on a disk of {disk_gib:,} GiB "
            f"that holds the system as well. Say a disk of {least_gib:,} GiB or more, or less data.",
            "disk",
            "data_size",
        )
