"""How busy guests and nodes are at any moment of the past or present: a rhythm of day and week with noise that a seed fixes.

Nothing is stored: asking twice for the same minute gives the same figure. A node's figures are the sums of its guests'.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from .cluster import Cluster
from .sizes import MIB
from .state import Guest, Node

_MASK = 2**64 - 1
STEP_S = 10
"""How often a node tells the others its figures."""


@dataclass(frozen=True)
class Figures:
    cpu: float
    """Fraction of the guest's own vCPUs, or of all threads of the node."""
    memory_bytes: float
    disk_read_b_s: float = 0.0
    disk_write_b_s: float = 0.0
    net_in_b_s: float = 0.0
    net_out_b_s: float = 0.0


def noise(*numbers: int) -> float:
    """0 … 1, evenly spread and repeatable."""
    mixed = 0x9E3779B97F4A7C15
    for number in numbers:
        mixed = (mixed ^ number) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        mixed ^= mixed >> 31
    return mixed / 2**64


def _rhythm(guest: Guest, at: float) -> float:
    """Around 1: more at the guest's busiest hour, less at night and at the week-end."""
    load = guest.load
    hour = at / 3600 % 24
    wave = 1 + load.swing * math.cos((hour - load.peak_hour) / 24 * 2 * math.pi)
    weekend = dt.datetime.fromtimestamp(at, dt.UTC).weekday() >= 5
    return wave * (1 - load.swing / 2 if weekend else 1)


def of_guest(cluster: Cluster, guest: Guest, at: float) -> Figures:
    load, step = guest.load, int(at // STEP_S)
    rhythm = _rhythm(guest, at)
    # Slow noise makes busy quarters of an hour, quick noise single peaks.
    slow = noise(cluster.seed, guest.vmid, 1, int(at // 900))
    quick = noise(cluster.seed, guest.vmid, 2, step)
    busy = rhythm * (0.75 + 0.35 * slow + 0.3 * quick**3)
    cpu = min(1.0, max(0.002, load.cpu * busy))
    memory = min(0.98, max(0.02, load.memory * (0.97 + 0.06 * slow)))
    return Figures(
        cpu,
        guest.memory_bytes * memory,
        load.disk_mb_s * busy * 0.4e6,
        load.disk_mb_s * busy * 0.6e6,
        load.net_mb_s * busy * 0.5e6,
        load.net_mb_s * busy * 0.5e6,
    )


def of_node(cluster: Cluster, node: Node, at: float, guests: list[Guest] | None = None) -> Figures:
    running = guests_of(cluster, node.name) if guests is None else guests
    cpu = 0.008 + 0.006 * noise(cluster.seed, node.number, 3, int(at // STEP_S))
    memory = float(node.memory_base_bytes)
    read = write = net_in = net_out = 0.0
    for guest in running:
        if guest.made_at > at:
            continue
        its = of_guest(cluster, guest, at)
        cpu += its.cpu * guest.cores / node.threads
        memory += its.memory_bytes + 150 * MIB
        read, write = read + its.disk_read_b_s, write + its.disk_write_b_s
        net_in, net_out = net_in + its.net_in_b_s, net_out + its.net_out_b_s
    return Figures(min(1.0, cpu), memory, read, write, net_in, net_out)


def guests_of(cluster: Cluster, node: str) -> list[Guest]:
    return [g for g in cluster.guests.values() if g.node == node and g.running]


def memory_used(node: Node, figures: Figures) -> tuple[int, int]:
    """Used memory and swap: what does not fit goes to swap. Proxmox starts guests without asking whether they fit."""
    most = int(node.memory_bytes * 0.985)
    used = min(most, int(figures.memory_bytes))
    return used, min(node.swap_bytes, max(0, int(figures.memory_bytes) - most))


def iowait(cluster: Cluster, node: Node, figures: Figures, at: float) -> float:
    mb_s = (figures.disk_read_b_s + figures.disk_write_b_s) / 1e6
    return min(0.5, mb_s / 4000 + 0.002 * noise(cluster.seed, node.number, 4, int(at // STEP_S)))


def pressure(fraction: float) -> float:
    """Per cent of the time that somebody waits: near nothing until three quarters are used."""
    return round(max(0.0, (fraction - 0.6) / 0.4) ** 2 * 40, 2)


def recent(now: float) -> float:
    """Figures are as old as the last round of the nodes."""
    return now // STEP_S * STEP_S


def root_used_bytes(node: Node) -> int:
    return min(node.root_bytes, node.root_used_bytes)
