"""Lets tests of capabilities use the clusters that tests of rules use."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "rules"))
