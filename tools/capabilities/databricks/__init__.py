"""A premium Databricks workspace in a network of its own, with an instance pool, a cluster policy and an autoscaling cluster in it.

facts.py: what is wanted and understood; choices.py: offer and compose; variables.py: for Terraform and the workspace; checks.py: review.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.databricks.changing import keep, stay
from tools.capabilities.databricks.checks import review
from tools.capabilities.databricks.choices import compose, offer
from tools.capabilities.databricks.facts import WANTED, understand
from tools.rules.azure.placing import regions_of
from tools.values.snapshot import PlatformName

NAME = "databricks"
TITLE = "Databricks workspace"
WORDS = ("databricks", "databricks workspace", "databricks cluster", "lakehouse")
EXAMPLES = (
    "a Databricks workspace for the ML team in eastus, production, 2-8 workers",
    "Databricks with GPU for training, 1-4 workers, $3,000 a month",
)

ON: dict[PlatformName, Footing] = {"azure": Footing(understand, offer, compose, review, stay, keep, regions_of)}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
