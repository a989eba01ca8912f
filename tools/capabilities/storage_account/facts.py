"""What is wanted to know of a storage account, and how it becomes typed needs."""

from __future__ import annotations

import ipaddress

from tools.rules.azure import names as azure_names
from tools.rules.azure.facts import SHARED, read_common
from tools.rules.azure.sizes import assumed
from tools.rules.names import naming
from tools.rules.request.editing import is_besides, values_of
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

GIB = 2**30
STORED_GB_MAX = 5 * 1024 * 1024
"""The published default limit of one account: 5 PiB."""
CONTAINERS = ("data",)
CONTAINERS_MAX = 20
STORED_GB = assumed(100, 1, 10_000, "How much is stored was not said.")
LOG_GB = assumed(5, 1, 50, "Logs a month of what is written and deleted.")

WANTED = wanted(__package__, **SHARED)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("storage_account", "azure", WANTED, facts)
    named = reading.facts.pop("name", None)
    read_common(reading, site, workload="data")
    if named is not None:
        reading.facts["name"] = named
        problem = azure_names.name_problem("storage", named.value.strip())
        if problem:
            reading.refuse(problem, "name")
        else:
            reading.said("name", named.value.strip())
    stored = reading.size("stored_volume", "stored data", GIB, 1, STORED_GB_MAX, "one account holds between 1 GB and 5 PB.")
    if stored is not None:
        reading.said("stored_gb", stored, "GB", fact="stored_volume")
    elif "stored_volume" not in reading.facts:
        reading.suppose("stored_gb", STORED_GB, "GB")
    if stored:
        reading.default("data_bytes", stored * GIB, "What is stored.", "bytes")
    _read_containers(reading)
    if "data_lake" in reading.facts:
        reading.said("data_lake", reading.facts["data_lake"].value == "yes")
    else:
        reading.default("data_lake", False, "Plain blobs unless a data lake is asked for.")
    if "redundancy" in reading.facts:
        reading.said("redundancy", reading.facts["redundancy"].value)
    _read_ranges(reading)
    reading.suppose("log_gb", LOG_GB, "GB a month")
    return reading.needs()


def _read_containers(reading: Reading) -> None:
    if "containers" not in reading.facts:
        reading.default("containers", CONTAINERS, "One container called data unless others are named.")
        return
    listed = reading.facts["containers"].value
    said = (word for one in values_of(listed) for word in one.split() if word.lower() != "and")
    names = (*(CONTAINERS if is_besides(listed) else ()), *said)
    wrong = [problem for name in names if (problem := azure_names.name_problem("container", name))]
    if wrong or not names or len(names) > CONTAINERS_MAX:
        reading.refuse(wrong[0] if wrong else f"Name 1 to {CONTAINERS_MAX} containers.", "containers")
    else:
        reading.said("containers", tuple(dict.fromkeys(names)))


def _read_ranges(reading: Reading) -> None:
    if "allowed_ranges" not in reading.facts:
        return
    said = [word.strip(",") for word in reading.facts["allowed_ranges"].value.split() if "." in word]
    if not said or not all(map(is_public_range, said)):
        shown = naming.shorten(reading.facts["allowed_ranges"].value)
        reading.refuse(
            f"{shown} is no range of public addresses that may be let in. Say one such as 198.51.100.0/24; 10.x "
            f"and 192.168.x never reach it.",
            "allowed_ranges",
        )
    else:
        reading.said("allowed_ranges", tuple(said))


def is_public_range(text: str) -> bool:
    """Azure takes public IPv4 ranges only, of at most a /8, and refuses /31 and /32 in favour of the plain address."""
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return False
    private = any(network.subnet_of(ipaddress.IPv4Network(own)) for own in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
    return network.prefixlen >= 8 and not private and not (("/" in text) and network.prefixlen > 30)
