"""A DNS resolver on a machine of its own. What it is stands in service.toml, what is asked for in facts.toml; here is whose word it takes.

A forwarder on a private address is the site's own. Its zones of private networks are signed by nobody, so DNSSEC would call each answer of
theirs forged (SERVFAIL): its word is taken, unless the private zones are named; then everything else is checked.
"""

from collections.abc import Iterator

from tools.capabilities.by_table import by_table
from tools.capabilities.on_machines import Check
from tools.rules.names.private import is_private
from tools.values.manifest import Part
from tools.values.requirements import Needs
from tools.values.review import Severity, fault
from tools.values.value import Json


def derived(needs: Needs) -> dict[str, Json]:
    own = any(map(is_private, needs.strings("forwarders")))
    return {"dns_resolver_forwarders_are_own": own, "dns_resolver_validates": not own or bool(needs.strings("private_zones"))}


def checks(part: Part) -> Iterator[Check]:
    own = tuple(filter(is_private, part.needs.strings("forwarders")))
    trusted = fault("dns_resolver:trusted", forwarders=", ".join(own)).finding("dnssec", part.label, part.label, Severity.NOTE)
    yield "dnssec", None if derived(part.needs)["dns_resolver_validates"] else trusted


NAME, TITLE, WORDS, EXAMPLES, WANTED, ON = by_table(__package__, checks=checks, derived=derived)

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
