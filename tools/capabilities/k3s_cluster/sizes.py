"""How large servers and workers are: k3s's own published rows where there are some, assumptions with their range where there are none."""

from __future__ import annotations

from tools.data import table
from tools.rules.sizing.sizing import Assumption
from tools.values.requirements import Source

_ROWS = {(row["workload"], row["load"]): row for row in table("sizing-references") if row["workload"].startswith("K3s")}
_SERVER, _SERVER_LEAST, _AGENT_LEAST = _ROWS["K3s server", "0-350 agents"], _ROWS["K3s server", "any"], _ROWS["K3s agent", "any"]
AGENTS_MAX = 350
"""That the row carries; no request makes so many machines."""


def _source(row: dict[str, str]) -> Source:
    return Source(title=row["source"], date=row["taken"], grade="vendor")


def _mib(row: dict[str, str]) -> int:
    return round(float(row["memory_gib"]) * 1024)


SERVER_CPU = Assumption(
    int(_SERVER["cpu_count"]),
    int(_SERVER_LEAST["cpu_count"]),
    int(_SERVER["cpu_count"]) * 2,
    f"k3s publishes it for a server with up to {AGENTS_MAX} agents; its minimum is the lower end.",
    _source(_SERVER),
)
SERVER_MEMORY_MIB = Assumption(
    _mib(_SERVER),
    _mib(_SERVER_LEAST),
    _mib(_SERVER) * 2,
    f"k3s publishes it for a server with up to {AGENTS_MAX} agents; its minimum is the lower end.",
    _source(_SERVER),
)


def _ours(value: int, low: int, high: int, because: str, lowest: str = "") -> Assumption:
    title = "Berth's own assumption" + (f"; lower end: {lowest}" if lowest else "")
    return Assumption(value, low, high, because, Source(title=title, date="2026-11-29", grade="assumption"))


_OF_THE_AGENT = f"{_AGENT_LEAST['source']}, k3s agent alone"
SERVER_DISK_GIB = _ours(40, 20, 80, "The system, etcd, and the images of what k3s brings. k3s publishes no size of a disk.")
WORKER_CPU = _ours(2, int(_AGENT_LEAST["cpu_count"]), 8, "What will run there was not said.", _OF_THE_AGENT)
WORKER_MEMORY_MIB = _ours(4096, 1024, 16384, "What will run there was not said; agent and system need the lower end.", _OF_THE_AGENT)
WORKER_DISK_GIB = _ours(60, 20, 200, "The system, images, and volumes on the node's own disk.")
