"""Web servers: nginx on one or several virtual machines, each with a health page.

facts.py says what is wanted and how it is understood; the table at the end names the rest; guide.md.j2 is the guide.
"""

from __future__ import annotations

from tools.capabilities import Footing
from tools.capabilities.on_machines import SetUp, anywhere
from tools.capabilities.web_server.commands import commands
from tools.capabilities.web_server.facts import WANTED, understand
from tools.capabilities.web_server.variables import endpoints, variables
from tools.values.snapshot import PlatformName

NAME = "web_server"
TITLE = "Web server"
WORDS = (
    "web server", "web servers", "webserver", "webservers", "nginx", "website", "web site",
    "web application", "web applications", "web app", "web apps", "webapp", "webapps",
)  # fmt: skip
EXAMPLES = (
    "a web server for production on network 20",
    "ten web servers, staging, on network 20",
)
ON: dict[PlatformName, Footing] = anywhere(
    understand,
    SetUp(playbook="web_server.yml", commands=commands, variables=variables, endpoints=endpoints),
    ports=("80",),
)

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
