"""A data workspace on Azure: Spark on Kubernetes, a data lake, a vault, identities and logs, sized by the daily volume and priced before
it is made.

facts.py: what is wanted and understood; design.py: one choice worked out and metered; choices.py: offer and compose; objects.py: what
stands inside the cluster; changing.py: changes in place; checks.py: review; commands.py and guide.md.j2: the guide.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.data_workspace.changing import keep, stay
from tools.capabilities.data_workspace.checks import review
from tools.capabilities.data_workspace.choices import GLOBAL, compose, offer, regions_of
from tools.capabilities.data_workspace.facts import WANTED, understand
from tools.rules.azure.placing import names_to_check
from tools.values.snapshot import PlatformName

NAME = "data_workspace"
TITLE = "Data workspace (Spark on Azure)"
WORDS = (
    "data workspace",
    "spark environment",
    "spark workspace",
    "spark cluster",
    "spark",
    "ml workspace",
    "ml environment",
    "data platform",
    "machine learning environment",
    "machine learning workspace",
)
EXAMPLES = (
    "Spark environment for our ML team, 5 TB of customer data daily, GPU for training, $8K/month",
    "a data workspace for the analytics team in westus2, 500 GB daily, production",
)

ON: dict[PlatformName, Footing] = {"azure": Footing(understand, offer, compose, review, stay, keep, regions_of, names_to_check(*GLOBAL))}

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
