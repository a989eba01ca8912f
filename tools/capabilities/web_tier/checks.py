"""What a web tier is checked for besides what every machine is: what an ACME server needs."""

from __future__ import annotations

from collections.abc import Iterator

from tools.capabilities.on_machines import Check
from tools.capabilities.web_tier.variables import address, site_name
from tools.values.manifest import Part
from tools.values.review import Severity, fault


def checks(part: Part) -> Iterator[Check]:
    directory = part.needs.text("acme_directory")
    asked = fault("web_tier:reached", directory=directory, site=site_name(part), address=address(part))
    yield "certificate", asked.finding("certificate", part.label, part.label, Severity.NOTE) if directory else None
