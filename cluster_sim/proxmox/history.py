"""Figures of the past in the form of Proxmox VE 9: a day in 1440 points of one minute, longer times in coarser ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import load, volumes
from .call import Call
from .state import Guest

SPANS: dict[str, tuple[int, int]] = {
    "hour": (60, 60),
    "day": (1440, 60),
    "week": (336, 1800),
    "month": (1440, 1800),
    "year": (1440, 21600),
    "decade": (570, 604800),
}
"""Points and seconds of each."""
SPANS_OF_8 = {
    "hour": (70, 60),
    "day": (70, 1800),
    "week": (70, 10800),
    "month": (70, 43200),
    "year": (70, 604800),
    "decade": (70, 6048000),
}
"""As they were before 9 (pve-manager 8.4, 2026-11-29)."""
_LOOKS_PER_POINT = 4


def _points(call: Call, of_what: tuple[object, ...], at: Callable[[float], dict[str, float]]) -> list[dict[str, Any]]:
    """A point is the mean, or the highest, of a few looks into its time.

    What was computed once is kept until `of_what` changes.
    """
    count, step = (SPANS if call.cluster.major >= 9 else SPANS_OF_8)[call.values["timeframe"]]
    highest = call.get("cf", "AVERAGE") == "MAX"
    looks = 1 if step <= 60 else _LOOKS_PER_POINT
    last = int(call.cluster.now // step) * step
    series = (call.values["timeframe"], highest, of_what[0])
    known_of, known = call.cluster.past.get(series, (None, {}))
    if known_of != of_what:
        known = {}
    rows = {}
    for time in range(last - (count - 1) * step, last + 1, step):
        row = known.get(time)
        if row is None:
            seen = [at(time - step * k / looks) for k in range(looks)]
            row = {"time": time} | {key: (max if highest else _mean)([s[key] for s in seen if key in s]) for key in seen[0]}
        rows[time] = row
    call.cluster.past[series] = (of_what, rows)
    return list(rows.values())


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def of_node(call: Call) -> list[dict[str, Any]]:
    cluster, node = call.cluster, call.cluster.nodes[call.node]
    guests = load.guests_of(cluster, node.name)

    def at(time: float) -> dict[str, float]:
        if time < node.up_since - 400 * 86400:
            return {}
        figures = load.of_node(cluster, node, time, guests)
        used, swapped = load.memory_used(node, figures)
        wait = load.iowait(cluster, node, figures, time)
        return {
            "loadavg": figures.cpu * node.threads,
            "maxcpu": node.threads,
            "cpu": figures.cpu,
            "iowait": wait,
            "memtotal": node.memory_bytes,
            "memused": used,
            "memavailable": node.memory_bytes - used,
            "swaptotal": node.swap_bytes,
            "swapused": swapped,
            "roottotal": node.root_bytes,
            "rootused": node.root_used_bytes,
            "netin": figures.net_in_b_s,
            "netout": figures.net_out_b_s,
            "arcsize": 0,
            "pressurecpusome": load.pressure(figures.cpu),
            "pressureiosome": load.pressure(min(1.0, wait * 3)),
            "pressureiofull": load.pressure(min(1.0, wait * 2)),
            "pressurememorysome": load.pressure(1.0) if swapped else 0.0,
            "pressurememoryfull": load.pressure(0.8) if swapped else 0.0,
        }

    return _points(call, (node.name, *((g.vmid, g.made_at, g.cores, g.memory_bytes) for g in guests)), at)


def of_guest(call: Call) -> list[dict[str, Any]]:
    cluster, guest = call.cluster, call.guest

    def at(time: float) -> dict[str, float]:
        if time < guest.made_at or not guest.running:
            return {}
        return _guest_figures(guest, load.of_guest(cluster, guest, time))

    return _points(call, (guest.vmid, guest.made_at, guest.running, guest.cores, guest.memory_bytes), at)


def _guest_figures(guest: Guest, figures: load.Figures) -> dict[str, float]:
    busy = load.pressure(figures.cpu)
    return {
        "maxcpu": guest.cores,
        "cpu": figures.cpu,
        "maxmem": guest.memory_bytes,
        "mem": figures.memory_bytes,
        "memhost": figures.memory_bytes + 150 * 2**20,
        "maxdisk": 0,
        "disk": 0,
        "netin": figures.net_in_b_s,
        "netout": figures.net_out_b_s,
        "diskread": figures.disk_read_b_s,
        "diskwrite": figures.disk_write_b_s,
        "pressurecpusome": busy,
        "pressurecpufull": busy / 2,
        "pressureiosome": 0.0,
        "pressureiofull": 0.0,
        "pressurememorysome": 0.0,
        "pressurememoryfull": 0.0,
    }


def of_storage(call: Call) -> list[dict[str, Any]]:
    storage = volumes.usable(call.cluster, call.values["storage"], call.node)
    here = volumes.node_of(storage, call.node)
    mine = [v for v in call.cluster.volumes.values() if v.storage == storage.name and v.node == here]

    def at(time: float) -> dict[str, float]:
        used = sum(v.size_bytes if v.used_bytes is None else v.used_bytes for v in mine if v.made_at <= time)
        return {"total": storage.total_bytes, "used": min(storage.total_bytes, storage.used_elsewhere_bytes + used)}

    sizes = ((v.name, v.size_bytes, v.used_bytes) for v in mine)
    return _points(call, (f"{storage.name} {here}", *sizes), at)
