"""Reads what every request for machines says of where they go, how many they are and what they are called. What is attached to them is in
tools.rules.request.attaching; whether a cluster has such a node or network is known when it has been looked at."""

from __future__ import annotations

import re

from tools.rules.names import naming
from tools.rules.request.attaching import read_attached
from tools.rules.request.reading import Reading
from tools.values.site import Site

VLAN_MAX = 4094
UNTAGGED_WORDS = ("untagged", "native", "none", "no", "0")
BRIDGE = re.compile(r"vmbr\w{1,11}")
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


def read_placing(
    reading: Reading, site: Site, *, workload: str, environment: str = "", machines: int | None = None, count: int = 1
) -> None:
    """What every request for machines says of where they go, how many they are and what they are called. `machines`: so many there are,
    counted by their groups already, so that one name serves them all. `count`: so many where nobody says how many."""
    _read_environment(reading, site, environment)
    read_network(reading, site)
    counted = read_count_and_name(reading, site, workload, count) if machines is None else _read_one_name(reading, site, workload, machines)
    for name in ("node", "storage"):
        if name in reading.facts:
            reading.said(name, reading.facts[name].value.strip())
    _read_os(reading)
    _read_high_availability(reading, site)
    read_public_key(reading, site)
    read_attached(reading, counted)


def _read_os(reading: Reading) -> None:
    """A version is a part of the template's name: `debian-12`."""
    if "template" in reading.facts:
        reading.said("os", reading.facts["template"].value.strip().lower(), fact="template")
        return
    version = reading.facts["os_version"].value.strip().lower() if "os_version" in reading.facts else ""
    if "os" in reading.facts:
        system = reading.facts["os"].value.strip().lower()
        reading.said("os", f"{system}-{version}" if version and version not in system else system)
    else:
        reading.default("os", "debian", "Debian unless another system is asked for.")


def _read_high_availability(reading: Reading, site: Site) -> None:
    named = next((one for one in reading.fields if one.name == "environment"), None)
    if "high_availability" in reading.facts:
        reading.said("high_availability", True)
    elif named and site.environment(str(named.value)).high_availability:
        reading.default("high_availability", True, f"The site has it for {named.value}.")


def _read_environment(reading: Reading, site: Site, default: str) -> None:
    known = [e.name for e in site.environments]
    if "environment" in reading.facts:
        value = reading.facts["environment"].value.strip().lower()
        if value in known:
            reading.said("environment", value)
        else:
            reading.refuse(naming.unknown("environment", value, known), "environment")
    elif default:
        reading.default("environment", default, f"It is a {default} machine by what it is for.")
    else:
        reading.ask("environment")


def read_network(reading: Reading, site: Site) -> None:
    """Name, bridge and tag, each as far as it was said. Whether they go together is known when the cluster has been looked at."""
    said = {name: reading.facts[name].value.strip() for name in ("network", "bridge", "vlan") if name in reading.facts}
    wrong = next((value for value in said.values() if not value or len(value) > 40 or not value.isprintable()), None)
    if wrong is not None:
        reading.refuse(f"{naming.shorten(wrong)} cannot be the name of a network. Say its name or VLAN, such as 20.", "network")
        return
    if said.get("network", "").isdecimal() and said.get("vlan", "").isdecimal():
        said.pop("vlan")  # It is one, and the later word of the two.
    tag, of = _tag_of(reading, said)
    name, bridge = said.get("network", ""), said.get("bridge", "")
    is_bridge = bool(BRIDGE.fullmatch(name.lower()))
    if tag and not 1 <= tag <= VLAN_MAX:
        reading.refuse(f"{tag} is no VLAN: tags go from 1 to {VLAN_MAX}.", "network")
        return
    if bridge and is_bridge and bridge.lower() != name.lower():
        reading.refuse(f"{name} and {bridge} were both said. Say which of the two bridges.", "network", "bridge")
        return
    if tag and (is_bridge or not name):
        reading.said("network", str(tag), fact=of)
        if is_bridge or bridge:
            reading.said("bridge", name or bridge, fact="network" if is_bridge else "bridge")
    elif name:
        reading.said("network", name)
        if bridge and not is_bridge:
            reading.said("bridge", bridge)
    elif bridge:
        reading.said("network", bridge, fact="bridge")
    elif site.default_network:
        reading.default("network", site.default_network, "The site's default network.")
    else:
        reading.ask("network")
    if tag is not None:
        reading.said("vlan_tag", tag, fact=of)


def _tag_of(reading: Reading, said: dict[str, str]) -> tuple[int | None, str]:
    """(0 where it was said that there is to be none, the fact that says so)."""
    if "vlan" in said:
        text = said["vlan"].lower()
        return (0 if text in UNTAGGED_WORDS else int(text) if text.isdecimal() else None), "vlan"
    text = said.get("network", "")
    is_vlan = text.isdecimal() and re.search(r"(?i)vlan|\btag", reading.facts["network"].quote)
    return (int(text) if is_vlan else None), "network"


def read_count_and_name(reading: Reading, site: Site, workload: str, otherwise: int) -> int:
    """How many machines there are to be."""
    count = reading.count("count", "machines", 1, site.machines_max, "that many cannot be made in one request.")
    name = reading.facts["name"].value.strip() if "name" in reading.facts else ""
    called = naming.listed(name)
    if count is not None:
        reading.said("count", count, "machines")
    elif len(called) > site.machines_max:
        reading.refuse(f"{len(called)} machines cannot be made in one request. Name at most {site.machines_max}.", "name", "count")
    elif len(called) > 1 and "count" not in reading.facts:
        reading.said("count", len(called), "machines", fact="name")
    elif "count" not in reading.facts:
        because = (
            "One machine unless several are asked for." if otherwise == 1 else f"{otherwise} machines unless another number is asked for."
        )
        reading.default("count", otherwise, because, "machines")
    machines = count or (len(called) if len(called) > 1 else otherwise)
    if name:
        problem = name_problem_of_all(name, machines)
        if len(called) > 1 and len(called) != machines:
            counted = f"{machines} machine{'s' if machines > 1 else ''}"
            reading.refuse(
                f"{counted} and {len(called)} names do not go together. Say a name for each, or one name for all.", "name", "count"
            )
        elif problem:
            reading.refuse(problem, "name")
        else:
            reading.said("name", ", ".join(called))
    else:
        _name_by_convention(reading, site, workload)
    return machines


def _read_one_name(reading: Reading, site: Site, workload: str, machines: int) -> int:
    """Of machines in groups: each group's word comes behind it."""
    name = reading.facts["name"].value.strip() if "name" in reading.facts else ""
    if machines > site.machines_max:
        reading.refuse(f"{machines} machines cannot be made in one request. Say at most {site.machines_max} in all.", "count")
    if "," in name:
        reading.refuse("Its machines are of several kinds, so they take one name together. Say one, such as shop.", "name")
    elif name and (problem := naming.name_problem(name)):
        reading.refuse(problem, "name")
    elif name:
        reading.said("name", name)
    else:
        _name_by_convention(reading, site, workload)
    return machines


def _name_by_convention(reading: Reading, site: Site, workload: str) -> None:
    pattern = site.name_pattern.format(workload=workload, number=1)
    reading.default("workload", workload, f"Machines are named by the site's convention, such as {pattern}.")


def name_problem_of_all(name: str, count: int) -> str:
    return next((problem for one in naming.numbered(name, count) if (problem := naming.name_problem(one))), "")


def read_public_key(reading: Reading, site: Site) -> None:
    if "public_key" not in reading.facts:
        if site.public_keys:
            reading.default("public_keys", site.public_keys, "The operator's own keys, as set for this site.")
        else:
            reading.ask("public_key")
        return
    key = " ".join(reading.facts["public_key"].value.split())
    if key.lower() in NO_KEY:
        reading.said("public_keys", (), fact="public_key")
    elif key.split(" ")[0] in KEY_KINDS and len(key.split(" ")) >= 2 and key.isprintable() and len(key) < 4096:
        reading.said("public_keys", tuple(dict.fromkeys((*site.public_keys, key))), fact="public_key")
    elif "PRIVATE KEY" in key.upper():
        reading.refuse("That is a private key, which must stay with you. Paste the public one: the line in the .pub file.", "public_key")
    else:
        reading.refuse(
            f"{naming.shorten(key, 30)} is not a public SSH key. Paste the one line of your .pub file, "
            "which begins with ssh-ed25519 or ssh-rsa, or say “no key”.",
            "public_key",
        )
