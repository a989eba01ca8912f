"""A storage account on Azure, plain or as a data lake, with containers; closed, keyless, and with logs of what is written."""

from __future__ import annotations

from tools.capabilities.storage_account.changing import keep, stay
from tools.capabilities.storage_account.checks import review
from tools.capabilities.storage_account.choices import compose, names_to_check, offer, regions_of
from tools.capabilities.storage_account.facts import WANTED, understand
from tools.values.snapshot import Target

NAME = "storage_account"
TITLE = "Storage account (Azure)"
TARGET: Target = "azure"
WORDS = (
    "storage account",
    "blob storage",
    "azure storage",
    "adls account",
    "blob account",
    "data lake account",
    "data lake storage",
)
EXAMPLES = (
    "a storage account for the finance team in eastus with containers raw and curated",
    "an azure storage account in production, 2 TB stored, zone redundant",
)

__all__ = [
    "EXAMPLES", "NAME", "TARGET", "TITLE", "WANTED", "WORDS", "compose", "keep", "names_to_check", "offer", "regions_of", "review", "stay",
    "understand",
]  # fmt: skip
