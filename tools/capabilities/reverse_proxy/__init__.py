"""A reverse proxy on a machine of its own. What it is stands in service.toml, what is asked for in facts.toml; here is what an ACME server
is asked, and needs."""

from collections.abc import Iterator

from tools.capabilities.by_table import by_table
from tools.capabilities.on_machines import Check
from tools.rules.request.attaching import acme_variables
from tools.values.manifest import Part
from tools.values.requirements import Needs
from tools.values.review import Severity, fault
from tools.values.value import Json


def derived(needs: Needs) -> dict[str, Json]:
    return acme_variables(needs, needs.text("site_name"))


def checks(part: Part) -> Iterator[Check]:
    directory, site = part.needs.text("acme_directory"), part.needs.text("site_name")
    reached = fault("reverse_proxy:reached", directory=directory, site=site).finding("certificate", part.label, part.label, Severity.NOTE)
    yield "certificate", reached if directory else None


NAME, TITLE, WORDS, EXAMPLES, WANTED, ON = by_table(__package__, checks=checks, derived=derived)

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
