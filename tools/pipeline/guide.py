"""Writes the guide of a part and of the run: the operator's paper for what was made. What it says is decided by the templates."""

from __future__ import annotations

from collections.abc import Collection
from importlib import resources
from pathlib import Path
from typing import Any

from tools.capabilities import catalogue, chain
from tools.clients.files import alone, write_private
from tools.clients.tls import described
from tools.pipeline.context import PartContext
from tools.pipeline.verify import ran
from tools.rules.machines.keeping import size_of
from tools.rules.words import guiding
from tools.rules.words.rendering import called
from tools.values.machine import without_prefix
from tools.values.run import PartReceipt
from tools.values.value import Json

FILE = "guide.md"
SHOWN_MAX = 4
"""Machines of a part that its guide begins with; the others stand below."""
SHARED = ("machines.md.j2", "azure.md.j2")


def write_guide(context: PartContext, receipt_part: PartReceipt, standing: Collection[str] | None = None) -> Path:
    """Returns the run's guide, in which this part's own is new and those of other parts stay as they are; `standing` are the labels of all
    parts that it tells of, where some were removed."""
    capabilities = resources.files("tools.capabilities")
    page = capabilities.joinpath(context.part.capability, chain.footing(context.part).guide).read_text()
    shared = {name: capabilities.joinpath(name).read_text() for name in SHARED}
    write_private(context.part_folder / FILE, guiding.render(page, shared, facts(context, receipt_part)))
    with alone(context.run_folder):  # Of two parts that are written at once, the later one has both.
        pages = sorted(context.run_folder.glob(f"*/{FILE}"))
        parts = [page.read_text() for page in pages if standing is None or page.parent.name in standing]
        return write_private(context.run_folder / FILE, guiding.joined(parts, context.run_folder.name))


def facts(context: PartContext, receipt_part: PartReceipt) -> dict[str, Json | Any]:
    """What a template may speak of."""
    part = context.part
    first = next(iter(part.every_machine), None)
    known = {
        machine.name: {"user": machine.user_name, "card": machine.every_card_spelled, "group": machine.group, "size": size_of(machine)}
        for machine in part.every_machine
    }
    seen = ran(context.part_folder)
    return {
        "title": f"{catalogue()[part.capability].TITLE}: {', '.join(m.name for m in receipt_part.machines) or part.label}",
        "part": part.label,
        "run": str(context.run_folder),
        "run_id": context.run_folder.name,
        "machines": [
            {"user": "", "card": "", "group": "", "size": ""} | known.get(m.name, {}) | m.model_dump() for m in receipt_part.machines
        ],
        "SHOWN_MAX": SHOWN_MAX,
        "cpu_count": first.cpu_count if first else 0,
        "memory_mib": first.memory_mib if first else 0,
        "public_key_count": len(first.public_keys) if first else 0,
        "proxy_command": context.settings.guest_proxy_command,
        "variables": part.configure.variables if part.configure else {},
        "certificates": {one.name: described(context.run_folder / "secrets" / one.name) for one in part.certificates},
        "secrets": [secret.model_dump() for secret in part.secrets],
        "commands": [command.model_dump() for command in seen],
        "not_run": [command.sentence for command in seen if command.outcome == guiding.NOT_RUN and command.machine],
        "with_own_login": [command.model_dump() for command in seen if command.outcome == guiding.NOT_RUN and not command.machine],
        "log_in": guiding.LOG_IN,
        "verified": list(receipt_part.verified),
        "not_verified": list(receipt_part.not_verified),
        "outputs": receipt_part.outputs,
        "facts": dict(part.facts),
        "needs": {field.name: field.value for field in part.needs.fields},
        "virtual_addresses": {name: without_prefix(str(address)) for name, address in part.virtual_addresses},
        "called": {name: called(name, part.capability) for name, _ in part.virtual_addresses},
        "dns_names": dict(part.dns_names),
        "watched_by": list(part.watched_by),
        "savings": list(part.savings),
        "not_included": list(part.needs.not_included),
        "providers": list(receipt_part.providers),
    }
