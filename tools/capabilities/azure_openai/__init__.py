"""Azure OpenAI: an account without keys and without a public door, and deployments of models within the subscription's quota.

facts.py: what is wanted and understood; choices.py: offer and compose; variables.py: for Terraform, and what it costs; checks.py: review.
"""

from __future__ import annotations

from tools.capabilities.azure_openai.checks import review
from tools.capabilities.azure_openai.choices import compose, offer
from tools.capabilities.azure_openai.facts import WANTED, names_to_check, understand
from tools.rules.azure.placing import regions_of
from tools.values.snapshot import Target

NAME = "azure_openai"
TITLE = "Azure OpenAI"
TARGET: Target = "azure"
WORDS = ("azure openai", "openai", "open ai", "azure open ai", "openai service", "language model", "gpt")
EXAMPLES = (
    "Azure OpenAI with gpt-4.1-mini for the ML team in eastus, 50 thousand tokens per minute",
    "Azure OpenAI in swedencentral for production, data stays in the EU",
)

__all__ = ["EXAMPLES", "NAME", "TARGET", "TITLE", "WANTED", "WORDS", "compose", "names_to_check", "offer", "regions_of", "review", "understand"]  # fmt: skip
