"""A message about what runs, and what stays of it: rows of live.jsonl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.hearing.facts import TODAY, said
from tests.hearing.heard import SITE
from tools.capabilities import catalogue, chain
from tools.rules.hearing.edits.answers import Asked
from tools.rules.hearing.known import Built, Known
from tools.rules.hearing.words.counting import names_of
from tools.rules.request import goals
from tools.rules.request.editing import apply
from tools.rules.request.running import sizes_needed
from tools.values.request import Edits, Request

ROWS = Path(__file__).parent / "live.jsonl"
CALLED = {"web_server": "web", "postgresql": "db", "virtual_machine": "vm", "k3s_cluster": "k3s", "database_cluster": "orders"}
Machines = dict[str, Any]
"""{label: so many, or their names when the request tells which, or {group: so many} where there are several kinds}."""


class After(NamedTuple):
    request: Request
    edits: Edits
    refused: tuple[str, ...]


def live_rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]


def build(asked: list[str]) -> tuple[Request, Built]:
    """What was asked for, and the machines that a run made of it."""
    request = said(*asked)
    built: dict[str, dict[str, tuple[str, ...]]] = {}
    for part in chain.understand(request, SITE, "operator").parts:
        item = request.item(part.label)
        assert item is not None
        for group, several in counted(part).items():
            prefix = f"{CALLED.get(part.capability, part.label)}-{group.removesuffix('s')}".rstrip("-")
            names = names_of(item) if len(names_of(item)) == several else tuple(f"{prefix}-{n:02}" for n in range(1, several + 1))
            built.setdefault(part.label, {})[group] = names
    return request, built


def say(text: str, request: Request, built: Built, asked: Asked = ()) -> After:
    sizes = {part.label: sizes_needed(part) for part in chain.understand(request, SITE, "operator").parts}
    edits = goals.hear(text, request, catalogue(), asked, TODAY, None, Known(built=built, sizes=sizes))
    after, refused = apply(request, edits, catalogue(), {}, built, text)
    return After(after, edits, tuple(reason for _, reason in refused))


def counted(part: Any) -> dict[str, int]:
    """How many machines of each kind."""
    return {group.name: part.of(group).whole("count", 1) for group in part.kinds}


def machines(request: Request) -> Machines:
    left: Machines = {}
    for part in chain.understand(request, SITE, "operator").parts:
        item, groups = request.item(part.label), counted(part)
        assert item is not None
        names, of_all = list(names_of(item)), groups.get("")
        left[part.label] = groups if of_all is None else names if len(names) == of_all > 1 else of_all
    return left
