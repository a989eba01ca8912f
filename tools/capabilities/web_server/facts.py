"""What is wanted to know of web servers, and how it becomes typed needs. Where they go is not decided here."""

from __future__ import annotations

import re

from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names import naming
from tools.rules.request.reading import Reading, read_placing, settle_sizes
from tools.rules.sizing import sizing
from tools.values.heard import Fact
from tools.values.requirements import Needs
from tools.values.site import Site
from tools.values.wanted import Wanted

USERS_MAX = 1_000_000
"""Beyond a million at once a row of web servers is not the question any more."""
SITE_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")

ENGINES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nginx", ("nginx",)),
    ("Apache", ("apache", "apache2", "httpd", "apache http server", "apache httpd")),
    ("IIS", ("iis", "microsoft iis", "internet information services")),
    ("Caddy", ("caddy",)),
    ("lighttpd", ("lighttpd",)),
    ("LiteSpeed", ("litespeed", "openlitespeed")),
    ("Tomcat", ("tomcat", "apache tomcat")),
)
"""Ours first, then those that we do not make; what else each is called."""

WANTED: tuple[Wanted, ...] = (
    Wanted(
        name="concurrent_users",
        kind="count",
        meaning="users at the same time, over all the servers",
        words=("concurrent users", "users", "visitors", "connections", "clients"),
    ),
    Wanted(
        name="site_name",
        kind="text",
        meaning="the site's name as in a URL",
        words=("site name", "domain name", "domain", "for site"),
    ),
    *EVERY_MACHINE,
    Wanted(
        name="engine",
        kind="choice",
        meaning="the make of web server, only when the operator names one",
        choices=ENGINES,
    ),
)


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("web_server", "proxmox", WANTED, facts)
    _read_engine(reading)
    users = reading.count(
        "concurrent_users",
        "concurrent users",
        1,
        USERS_MAX,
        "a web server has at least one, and beyond a million it is a matter of architecture.",
    )
    if users is not None:
        reading.said("concurrent_users", users, "users")
    read_placing(reading, site, workload="web")
    settle_sizes(reading, sizing.WEB_CPU, sizing.WEB_MEMORY_MIB, sizing.WEB_DISK_GIB)
    _read_site_name(reading)
    return reading.needs()


def _read_engine(reading: Reading) -> None:
    """Another make is never replaced by ours without a word."""
    said = reading.facts["engine"].value.strip() if "engine" in reading.facts else ""
    if said and said.lower() != "nginx":
        known = next((name for name, words in ENGINES if said.lower() in (name.lower(), *words)), naming.shorten(said))
        reading.problems.append(
            f"Berth makes web servers with nginx, not with {known}. Say nginx, or ask for a plain VM and install it yourself."
        )


def _read_site_name(reading: Reading) -> None:
    if "site_name" not in reading.facts:
        reading.default("site_name", "_", "The server answers to every name unless one is said.")
        return
    name = reading.facts["site_name"].value.strip().lower()
    if SITE_NAME.fullmatch(name):
        reading.said("site_name", name)
    else:
        reading.problems.append(
            f"{naming.shorten(name)} cannot be the name of a site. Say one as in a URL, such as shop.example.org."
        )
