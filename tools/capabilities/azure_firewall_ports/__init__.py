"""Firewall ports on Azure: rules of a network security group that let something in, in one that exists or in a new one.

facts.py: what is wanted and understood; choices.py: offer and compose; checks.py: review. It asks no model: everything follows by rule.
"""

from __future__ import annotations

from tools.capabilities.azure_firewall_ports.checks import review
from tools.capabilities.azure_firewall_ports.choices import compose, offer
from tools.capabilities.azure_firewall_ports.facts import WANTED, understand
from tools.values.snapshot import Target

NAME = "azure_firewall_ports"
TITLE = "Azure firewall ports"
TARGET: Target = "azure"
WORDS = ("firewall ports", "firewall port", "firewall", "firewall rule", "open port", "open ports", "open the port", "open the ports", "nsg rule", "security group rule")  # fmt: skip
EXAMPLES = (
    "open port 443 from 10.1.0.0/16 on nsg-shared",
    "open ports 80 and 443 from anywhere in eastus, production",
)

__all__ = ["EXAMPLES", "NAME", "TARGET", "TITLE", "WANTED", "WORDS", "compose", "offer", "review", "understand"]
