"""A template of a cloud image on a Proxmox VE cluster, with the guest agent in it: what machines are cloned from.

facts.py says what is wanted and how it is understood, choices.py where it goes and what it becomes; guide.md.j2 is the guide.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.template.choices import compose, keep, offer, review, stay
from tools.capabilities.template.facts import WANTED, settle, understand
from tools.values.snapshot import PlatformName

NAME = "template"
TITLE = "Machine template"
WORDS = (
    "template",
    "templates",
    "machine template",
    "machine templates",
    "vm template",
    "vm templates",
    "virtual machine template",
    "cloud image template",
    "cloud-init template",
    "proxmox template",
)
EXAMPLES = ("make a Debian 12 template on network 20", "an Ubuntu 24.04 template on storage ceph-vm, network 20, address 10.20.0.9/24")
ON: dict[PlatformName, Footing] = {
    "proxmox": Footing(
        understand,
        offer,
        compose,
        review,
        stay,
        keep,
        names_to_check=lambda needs, site: (*needs.strings("address"), *(span for one in site.networks for span in one.pool)),
        settled_by_world=frozenset({"network", "gateway", "address"}),
        settle=settle,
    )
}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
