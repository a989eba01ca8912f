"""What is wanted to know of web servers, and how it becomes typed needs. Where they go is not decided here."""

from __future__ import annotations

import re

from tools.capabilities.grounds import CLUSTER, Ground
from tools.rules.azure.facts import OF_AZURE
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names import naming
from tools.rules.request.reading import Reading, settle_sizes
from tools.rules.request.wanting import wanted
from tools.rules.sizing import sizing
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

USERS_MAX = 1_000_000
"""Beyond a million at once a row of web servers is not the question any more."""
SITE_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")

WANTED = wanted(__package__, every_machine=EVERY_MACHINE, of_azure=OF_AZURE)


def understand(facts: tuple[Fact, ...], site: Site, ground: Ground = CLUSTER) -> Needs:
    reading = Reading.of("web_server", ground.platform, WANTED, facts)
    reading.refuse_other_makes("engine", "nginx", "Berth makes web servers with nginx, not with {other}. Say nginx")
    users = reading.count(
        "users",
        "concurrent users",
        1,
        USERS_MAX,
        "a web server has at least one, and beyond a million it is a matter of architecture.",
    )
    if users is not None:
        reading.said("concurrent_users", users, "users", fact="users")
    ground.read_placing(reading, site, "web")
    settle_sizes(reading, sizing.WEB_CPU, sizing.WEB_MEMORY_MIB, sizing.WEB_DISK_GIB)
    _read_site_name(reading)
    return reading.needs()


def _read_site_name(reading: Reading) -> None:
    if "site_name" not in reading.facts:
        reading.default("site_name", "_", "The server answers to every name unless one is said.")
        return
    name = reading.facts["site_name"].value.strip().lower()
    if SITE_NAME.fullmatch(name):
        reading.said("site_name", name)
    else:
        reading.refuse(f"{naming.shorten(name)} cannot be the name of a site. Say one as in a URL, such as shop.example.org.", "site_name")
