"""Tasks as clients see them: lists, status, log, stopping one."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from .call import Call
from .errors import failed, forbidden
from .parameters import split_list
from .tasks import Task

_UPID = re.compile(r"UPID:([^:\s]+):([0-9A-F]{8}):([0-9A-F]{8,9}):([0-9A-F]{8}):([^:\s]+):([^:\s]*):([^:\s]+):")


def _task(call: Call) -> Task:
    upid = unquote(str(call.values["upid"]))
    if not _UPID.fullmatch(upid):
        raise failed(f"unable to parse worker upid '{upid}'")
    task = call.cluster.agenda.tasks.get(upid)
    if task is None or task.node != call.node:
        raise failed("no such task")
    if not _mine(call, task) and not call.may(f"/nodes/{task.node}", "Sys.Audit"):
        raise forbidden(f"/nodes/{task.node}", "Sys.Audit")
    return task


def _mine(call: Call, task: Task) -> bool:
    return task.user == call.who.user and task.tokenid == call.who.token


def status(call: Call) -> dict[str, Any]:
    task = _task(call)
    if task.exitstatus is None:
        # While it runs there must be no exit status at all: Telmate's provider looks for the key only.
        return {**task.row(), "status": "running"}
    return {**task.row(), "status": "stopped", "exitstatus": task.exitstatus}


def log(call: Call) -> list[dict[str, Any]]:
    lines = _task(call).log or ["no content"]
    first, most = call.get("start", 0), call.get("limit", 50)
    rows = [{"n": n + 1, "t": line} for n, line in enumerate(lines)][first:]
    return rows[:most] if most else rows


def stop(call: Call) -> None:
    task = _task(call)
    if not _mine(call, task):
        call.require(f"/nodes/{task.node}", "Sys.Modify")
    call.cluster.agenda.stop(task)


def of_node(call: Call) -> list[dict[str, Any]]:
    sees_all = call.may(f"/nodes/{call.node}", "Sys.Audit")
    tasks = [t for t in call.cluster.agenda.tasks.values() if t.node == call.node and (sees_all or t.user == call.who.user)]
    source, kinds = call.get("source", "archive"), split_list(call.get("typefilter") or "")
    rows = []
    for task in reversed(tasks):
        if (source == "archive" and task.exitstatus is None) or (source == "active" and task.exitstatus is not None):
            continue
        if call.get("errors") and task.exitstatus == "OK":
            continue
        if (call.get("vmid") and task.id != str(call.get("vmid"))) or (kinds and task.kind not in kinds):
            continue
        if (call.get("since") and task.starttime < call.get("since")) or (call.get("until") and task.starttime > call.get("until")):
            continue
        if call.get("userfilter") and call.get("userfilter") not in task.user:
            continue
        rows.append(_row(task))
    first, most = call.get("start", 0), call.get("limit", 50)
    return rows[first : first + most] if most else rows[first:]


def of_cluster(call: Call) -> list[dict[str, Any]]:
    tasks = list(call.cluster.agenda.tasks.values())[::-1][:100]
    return [_row(t) for t in tasks if _mine(call, t) or call.may(f"/nodes/{t.node}", "Sys.Audit")]


def _row(task: Task) -> dict[str, Any]:
    return task.row() | ({"endtime": task.endtime, "status": task.exitstatus} if task.exitstatus is not None else {})
