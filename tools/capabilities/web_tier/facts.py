"""What is wanted to know of a web tier, and how it becomes typed needs. Where it goes is not decided here."""

from __future__ import annotations

from tools.rules.machines.facts import EVERY_MACHINE, VIRTUAL_ADDRESS
from tools.rules.names import naming
from tools.rules.request.attaching import DOMAIN, read_acme, read_virtual_address
from tools.rules.request.grouping import read_group_count, settle_group_sizes
from tools.rules.request.placing import read_placing
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.rules.sizing import sizing
from tools.rules.sizing.sizing import Assumption
from tools.values.request import Fact
from tools.values.requirements import Needs, Source
from tools.values.site import Site

BALANCERS, APPLICATIONS, ADDRESS = "balancers", "applications", "virtual_address"
USERS_MAX = 1_000_000
APPLICATIONS_MAX = 18
"""With two balancers, as many machines as a request may have by default."""
OURS = Source(
    title="Berth's own assumption; lower end: the community's row Debian, 1 vCPU, 512 MiB, 2 GiB", date="2026-11-29", grade="assumption"
)
BALANCER_CPU = Assumption(1, 1, 4, "How much it encrypts was not said.", OURS)
BALANCER_MEMORY_MIB = Assumption(1024, 512, 4096, "How many connections it holds was not said.", OURS)
BALANCER_DISK_GIB = Assumption(10, 4, 40, "It stores nothing but its log.", OURS)

WANTED = wanted(__package__, every_machine=EVERY_MACHINE, virtual_address=(VIRTUAL_ADDRESS,))


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("web_tier", "proxmox", WANTED, facts)
    two = "one balances and the other stands by, and more would only stand by."
    balancers = read_group_count(reading, BALANCERS, 2, "Two, so that one can be lost.", 2, 2, two)
    many = "two at least, so that one can be lost, and no more than a request may make."
    applications = read_group_count(reading, APPLICATIONS, 2, "Two, so that one can be lost.", 2, APPLICATIONS_MAX, many, plain=True)
    users = reading.count("users", "concurrent users", 1, USERS_MAX, "a tier has at least one, and beyond a million it is another design.")
    if users is not None:
        reading.said("concurrent_users", users, "users", fact="users")
    read_placing(reading, site, workload="web", machines=balancers + applications)
    settle_group_sizes(reading, BALANCERS, BALANCER_CPU, BALANCER_MEMORY_MIB, BALANCER_DISK_GIB, plain=False)
    settle_group_sizes(reading, APPLICATIONS, sizing.WEB_CPU, sizing.WEB_MEMORY_MIB, sizing.WEB_DISK_GIB)
    _read_site_name(reading, site)
    if "load_balancer" in reading.facts:
        reading.said("load_balancer", True)  # which its balancers are
    read_virtual_address(reading, ADDRESS)
    return reading.needs()


def _read_site_name(reading: Reading, site: Site) -> None:
    if "site_name" not in reading.facts:
        reading.default("site_name", "_", "The site answers to every name unless one is said.")
        return
    name = reading.facts["site_name"].value.strip().lower()
    if DOMAIN.fullmatch(name):
        reading.said("site_name", name)
        read_acme(reading, site)
    else:
        reading.refuse(f"{naming.shorten(name)} cannot be the name of a site. Say one as in a URL, such as shop.example.org.", "site_name")
