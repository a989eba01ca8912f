"""Azure OpenAI: an account without keys and without a public door, and deployments of models within the subscription's quota.

facts.py: what is wanted and understood; choices.py: offer and compose; variables.py: for Terraform, and what it costs; checks.py: review.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.azure_openai.changing import keep, stay
from tools.capabilities.azure_openai.checks import review
from tools.capabilities.azure_openai.choices import compose, offer
from tools.capabilities.azure_openai.facts import WANTED, understand
from tools.rules.azure.placing import names_to_check, regions_of
from tools.values.snapshot import PlatformName

NAME = "azure_openai"
TITLE = "Azure OpenAI"
WORDS = ("azure openai", "openai", "open ai", "azure open ai", "openai service", "language model", "gpt")
EXAMPLES = (
    "Azure OpenAI with gpt-5.4-mini for the ML team in eastus, 50 thousand tokens per minute",
    "Azure OpenAI in swedencentral for production, data stays in the EU",
)

ON: dict[PlatformName, Footing] = {"azure": Footing(understand, offer, compose, review, stay, keep, regions_of, names_to_check("openai"))}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
