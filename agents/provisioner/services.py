"""ADK loads this file, by its name, before `adk run` makes anything; and before `adk web agents/provisioner` does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from provisioner.hosting import settle  # as ADK itself finds the app

settle()
