"""The command line `berth`: it starts the conversation, and answers what is asked of a site rather than in one. Each command calls one
function and prints what it says. What a command needs is loaded when it runs: `berth chat` is in a hurry and needs almost nothing."""

from tools.cli import audit, figures, front_ends, hear, requests, runs
from tools.cli.group import main

__all__ = ["audit", "figures", "front_ends", "hear", "main", "requests", "runs"]
