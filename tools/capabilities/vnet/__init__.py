"""A network of Proxmox VE's SDN: a vnet with its VLAN, in a zone that is there or is made with it, and a subnet where one is said."""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.vnet.changing import keep, stay
from tools.capabilities.vnet.checks import review
from tools.capabilities.vnet.choices import compose, offer
from tools.capabilities.vnet.facts import WANTED, understand
from tools.values.snapshot import PlatformName

NAME = "vnet"
TITLE = "Network (VLAN)"
WORDS = ("sdn vnet", "vlan network", "sdn network", "virtual network")
EXAMPLES = (
    "a VLAN network with VLAN 60 in zone lan, called lab, subnet 10.0.60.0/24",
    "create an SDN vnet called dmz in zone z1, tag 30",
)

ON: dict[PlatformName, Footing] = {"proxmox": Footing(understand, offer, compose, review, stay, keep)}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
