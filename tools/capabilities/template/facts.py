"""What is wanted to know of a template, and how it becomes typed needs. Where it goes is decided in choices.py."""

from __future__ import annotations

from tools.rules.machines import images, networks
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names import naming
from tools.rules.request.attaching import read_addresses
from tools.rules.request.placing import read_network
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import named
from tools.values.request import Fact
from tools.values.requirements import Field, Missing, Needs, Origin, Source
from tools.values.site import CloudImage, Site
from tools.values.situation import Situation
from tools.values.snapshot import Network

WANTED = tuple(
    named(EVERY_MACHINE, name)
    for name in ("platform", "network", "bridge", "vlan", "address", "gateway", "netmask", "dns", "node", "storage", "os", "os_version")
)
CPU_COUNT, MEMORY_MIB = 1, 2048
"""Of the machine while it is furnished: what Proxmox VE's own guide gives a template (pve-docs, qm-cloud-init, 2048 MiB)."""
WHICH = "Which system should it have?"
ASK = (
    "The image comes without the guest agent, so its machine needs an address of its own until it is installed. "
    "Which one is free? Say it as in `{example}`."
)
EXAMPLE = "address 10.20.0.50/24"


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("template", "proxmox", WANTED, facts)
    image = _read_image(reading, site)
    reading.default("environment", site.environments[-1].name, "Nothing runs on a template.")
    read_network(reading, site)
    for name in ("node", "storage"):
        if name in reading.facts:
            reading.said(name, reading.facts[name].value.strip())
    read_addresses(reading, 1)
    said = {one.name for one in reading.fields} | set(reading.disputed)
    if image is not None and not image.agent and not said & {"address", "address6"}:
        reading.missing.append(Missing(name="address", question=ASK.format(example=EXAMPLE)))
    reading.default("count", 1, "One template is cloned as often as one likes.", "machines")
    reading.default("cpu_count", CPU_COUNT, "While it is furnished; a clone has its own.", "vCPU")
    reading.default("memory_mib", MEMORY_MIB, "While it is furnished; a clone has its own.", "MiB")
    return reading.needs()


def image_of(needs: Needs, site: Site) -> CloudImage | None:
    """The image that was understood; None where the site's file has lost it since."""
    return next((one for one in images.images_of(site) if one.url == needs.text("image")), None)


def settle(needs: Needs, situation: Situation) -> Needs:
    """The only network and its gateway are taken. No address is asked for where the site has a pool to take one from."""
    needs = networks.choose(needs, situation.cluster)
    found = networks.find(situation.cluster, networks.wish_of(needs))
    if not isinstance(found, Network):
        return needs
    asked = next((one for one in needs.missing if one.name == "address"), None)
    if asked is None or not found.subnet:
        return needs
    left = tuple(one for one in needs.missing if one is not asked)
    return needs if not found.pool else needs.model_copy(update={"missing": left})


def _read_image(reading: Reading, site: Site) -> CloudImage | None:
    known = images.images_of(site)
    offered = tuple(one.spoken for one in known)
    if "os" not in reading.facts:
        version = reading.facts["os_version"].value.strip().lower() if "os_version" in reading.facts else ""
        of_version = [one for one in known if version and one.version == version]
        if len(of_version) != 1:
            reading.missing.append(Missing(name="os", question=WHICH, suggestions=offered))
            return None
        image, fact = of_version[0], "os_version"
    else:
        os = reading.facts["os"].value.strip().lower()
        version = reading.facts["os_version"].value.strip().lower() if "os_version" in reading.facts else ""
        found = images.find(known, os, version)
        if found is None:
            wanted = f"{naming.shorten(os)[1:-1]} {version}".strip()
            reading.refuse(f"I know no cloud image of {wanted}. There is: {', '.join(offered)}. Say one of these.", "os", "os_version")
            return None
        image, fact = found, "os"
    reading.said("os", image.name, fact=fact)
    reading.fields.append(
        Field(
            name="image",
            value=image.url,
            origin=Origin.DEFAULT,
            because=f"It is taken only with the {image.checksum_algorithm} {image.checksum[:12]}…",
            source=Source(title=image.source or "the site's file", date=image.taken),
        )
    )
    reading.default("disk_gib", image.disk_gib, "As large as the image needs; the disk of a clone grows to what is asked for.", "GiB")
    return image
