"""What the cluster's own log of tasks says was done. What changes without a task (a configuration that is set at once) is not in it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from importlib.resources import files
from io import StringIO

from tools.clients.proxmox import Proxmox
from tools.clients.settings import Settings
from tools.clients.together import Away, together
from tools.rules.names.scanned import Row, display, number, rows
from tools.values.act import Act
from tools.values.trouble import WorldProblem

TASKS_MAX = 2_000
"""Of a node, the latest ones."""


@cache
def changes_nothing() -> Mapping[str, str]:
    text = files("tools.data").joinpath("proxmox-tasks.csv").read_text(encoding="utf-8")
    return {row["task"]: row["what"] for row in csv.DictReader(StringIO(text))}


def acts(settings: Settings, since: datetime) -> tuple[tuple[Act, ...], tuple[str, ...]]:
    """(acts, sentences about what could not be seen). Raises Away."""
    cluster = Proxmox(settings)
    ours = settings.proxmox_api_token.get_secret_value().partition("=")[0]
    nodes = [display(row.get("node")) for row in rows(cluster.read("nodes"))]
    found = together({node: partial(_tasks, cluster, node, int(since.timestamp())) for node in nodes})
    unread, made = [], []
    for node, tasks in found.items():
        if isinstance(tasks, Away):
            raise tasks
        if isinstance(tasks, WorldProblem):
            unread.append(f"The tasks of {node} could not be read: {tasks.detail}")
            continue
        if len(tasks) >= TASKS_MAX:
            unread.append(f"{node} has more tasks than the latest {TASKS_MAX}: look back over fewer days.")
        made += [_act(row, node, ours) for row in tasks if str(row.get("type")) not in changes_nothing()]
    return tuple(made), tuple(unread)


def _tasks(cluster: Proxmox, node: str, since: int) -> list[Row]:
    return rows(cluster.read("nodes", node, "tasks", source="all", since=since, limit=TASKS_MAX))


def _act(row: Row, node: str, ours: str) -> Act:
    by = "!".join(display(one) for one in (row.get("user"), row.get("tokenid")) if one)
    thing = str(row.get("id") or "")
    guest = thing if thing.isdecimal() else ""
    return Act(
        platform="proxmox",
        at=datetime.fromtimestamp(int(number(row, "starttime")), UTC),
        by=by,
        is_ours=by == ours,
        what=display(row.get("type")),
        thing=guest,
        where=f"VM {guest} on {node}" if guest else f"{display(thing)} on {node}".strip() if thing else node,
        outcome=display(row.get("status") or "running"),
    )
