"""Firewall ports on Azure: rules of a network security group that let something in, in one that exists or in a new one.

facts.py: what is wanted and understood; choices.py: offer and compose; checks.py: review. It asks no model: everything follows by rule.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.azure_firewall_ports.changing import keep, stay
from tools.capabilities.azure_firewall_ports.checks import review
from tools.capabilities.azure_firewall_ports.choices import compose, offer
from tools.capabilities.azure_firewall_ports.facts import WANTED, understand
from tools.rules.azure.placing import regions_of
from tools.values.snapshot import PlatformName

NAME = "azure_firewall_ports"
TITLE = "Azure firewall ports"
WORDS = (
    "firewall ports",
    "firewall port",
    "firewall",
    "firewall rule",
    "open port",
    "open ports",
    "open the port",
    "open the ports",
    "nsg rule",
    "security group rule",
)
EXAMPLES = ("open port 443 from 10.1.0.0/16 on nsg-shared", "open ports 80 and 443 from anywhere in eastus, production")

ON: dict[PlatformName, Footing] = {"azure": Footing(understand, offer, compose, review, stay, keep, regions_of)}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
