"""A storage account on Azure, plain or as a data lake, with containers; closed, keyless, and with logs of what is written."""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.storage_account.changing import keep, stay
from tools.capabilities.storage_account.checks import review
from tools.capabilities.storage_account.choices import compose, names_to_check, offer
from tools.capabilities.storage_account.facts import WANTED, understand
from tools.rules.azure.placing import regions_of
from tools.values.snapshot import PlatformName

NAME = "storage_account"
TITLE = "Storage account (Azure)"
WORDS = (
    "storage account",
    "blob storage",
    "azure storage",
    "azure storage account",
    "adls account",
    "blob account",
    "data lake",
    "datalake",
    "adls",
    "adls storage",
    "adls gen2",
    "data lake account",
    "data lake storage",
)
EXAMPLES = (
    "a storage account for the finance team in eastus with containers raw and curated",
    "an azure storage account in production, 2 TB stored, zone redundant",
)

ON: dict[PlatformName, Footing] = {"azure": Footing(understand, offer, compose, review, stay, keep, regions_of, names_to_check)}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
