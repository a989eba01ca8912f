"""Web servers: nginx on one or several virtual machines, each with a health page.

facts.py: what is wanted and understood; choices.py: offer and compose; checks.py: review; commands.py and guide.md.j2: the guide.
"""

from __future__ import annotations

from tools.capabilities.web_server.checks import review
from tools.capabilities.web_server.choices import compose, offer
from tools.capabilities.web_server.facts import WANTED, understand
from tools.rules.machines.changes import stay
from tools.rules.machines.machines import keep
from tools.values.snapshot import Target

NAME = "web_server"
TITLE = "Web server"
TARGET: Target = "proxmox"
WORDS = ("web server", "web servers", "webserver", "webservers", "nginx", "website", "web site")
EXAMPLES = (
    "a web server for production on network 20",
    "ten web servers, staging, on network 20",
)

__all__ = ["EXAMPLES", "NAME", "TARGET", "TITLE", "WANTED", "WORDS", "compose", "keep", "offer", "review", "stay", "understand"]
