"""Clusters as arrays, and rules of placement restated on them: Berth's own, and those of its peers. Several clusters are filled side by
side, a lane each, so that twenty samples take hardly longer than one.

That Berth's rule is restated truly is checked beside the figures (benchmarks/placement.py). Capacities are whole: head-room is a matter of
the site, and no peer has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.trace import Floats, Trace, Whole, flavours
from tools.rules.machines.ground import FULLNESS_WEIGHT, SHAPE_WEIGHT

SURE = 0.5
"""Up to half full, a cluster carries any loss."""

Rule = Callable[["Lanes", Floats, Whole], Floats]
"""(clusters, what is asked for a lane, its flavour) → how bad each node is; the least one that fits is taken."""


class Lanes:
    """Clusters side by side. `capacity` is lanes × nodes × (vCPU, GiB); a node that is not there has none."""

    def __init__(self, capacity: Floats, fragments: bool = True) -> None:
        self.capacity = capacity
        self.free = capacity.copy()
        self.lanes = np.arange(len(capacity))
        self.there = capacity[:, :, 0] > 0
        self.fragments = fragments
        sizes = flavours()
        self.met = np.zeros((len(capacity), len(sizes)))
        """How many of each flavour run."""
        self.beside = np.zeros(capacity.shape[:2])
        """How many machines of the request that is being placed are on each node."""
        if fragments:
            self.lost = np.zeros((*capacity.shape[:2], len(sizes), len(sizes)))
            for node in range(capacity.shape[1]):
                self._reckon(self.lanes, np.full(len(self.lanes), node))

    def fits(self, asked: Floats) -> NDArray[np.bool_]:
        return np.asarray((self.free >= asked[:, None, :] - 1e-9).all(axis=2) & self.there)

    def put(self, lanes: Whole, nodes: Whole, asked: Floats, flavour: Whole, sign: int = 1) -> None:
        np.subtract.at(self.free, (lanes, nodes), sign * asked)
        np.add.at(self.met, (lanes, flavour), sign)
        if self.fragments and len(lanes):
            self._reckon(lanes, nodes)

    def _reckon(self, lanes: Whole, nodes: Whole) -> None:
        """What one more of each flavour would cost of the room for each flavour on these nodes."""
        sizes = flavours()
        free = self.free[lanes, nodes]
        before = np.floor(free[:, None, :] / sizes + 1e-9).min(axis=2)
        left = free[:, None, :] - sizes
        after = np.floor(left[:, :, None, :] / sizes + 1e-9).min(axis=3)
        self.lost[lanes, nodes] = np.maximum(0, before[:, None, :] - after)


def berth(lanes: Lanes, asked: Floats, flavour: Whole) -> Floats:
    """As tools.rules.machines.ground reckons on a large cluster."""
    sizes, met = flavours(), lanes.met
    total = np.maximum(met.sum(axis=1, keepdims=True), 1)
    mean = np.maximum(met @ sizes / total, 1e-9)
    weight = met * (sizes[None] / mean[:, None, :]).max(axis=2)
    lost = np.einsum("lns,ls->ln", lanes.lost[lanes.lanes, :, flavour], weight)
    lost = np.where(lanes.fits(asked), lost, 0)
    worst = lost.max(axis=1, keepdims=True)
    share = asked[:, None, :] / np.maximum(lanes.capacity, 1e-9)
    free = lanes.free / np.maximum(lanes.capacity, 1e-9)
    fuller = FULLNESS_WEIGHT * (free - share).sum(axis=2)
    return np.asarray(lost / np.where(worst > 0, worst, 1) + SHAPE_WEIGHT * (1 - _cosine(free, share)) + fuller)


def berth_apart(lanes: Lanes, asked: Floats, flavour: Whole) -> Floats:
    """Machines of one request on nodes of their own first."""
    return berth(lanes, asked, flavour) + 10 * lanes.beside


def spread(lanes: Lanes, asked: Floats, flavour: Whole) -> Floats:
    """Berth's rule on a small cluster: where most is left of what is fuller."""
    return _fullness(lanes, asked)


def best_fit(lanes: Lanes, asked: Floats, flavour: Whole) -> Floats:
    return -_fullness(lanes, asked)


def cosine(lanes: Lanes, asked: Floats, flavour: Whole) -> Floats:
    capacity = np.maximum(lanes.capacity, 1e-9)
    return -_cosine(lanes.free / capacity, asked[:, None, :] / capacity)


def proxlb(lanes: Lanes, asked: Floats, flavour: Whole) -> Floats:
    """ProxLB 2.3.0, `get_most_free_node` by assigned memory: the node with the smallest share assigned. Restated."""
    capacity = np.maximum(lanes.capacity[:, :, 1], 1e-9)
    return np.asarray(1 - lanes.free[:, :, 1] / capacity)


def crs(lanes: Lanes, asked: Floats, flavour: Whole) -> Floats:
    """Proxmox VE's static scheduler (proxmox-resource-scheduling 2.1.0): TOPSIS over root mean square and highest use of processors
    (weights 1 and 2) and memory (5 and 10), with 1 added to each, all the less the better.

    Restated from its formula; nodes without room are left out, which its own does not do."""
    there = lanes.there
    capacity = np.where(there[:, :, None], np.maximum(lanes.capacity, 1e-9), 1.0)
    use = np.where(there[:, :, None], 1 - lanes.free / capacity, 0.0)
    new = use + asked[:, None, :] / capacity
    count = there.sum(axis=1)[:, None, None]
    squares = (use**2).sum(axis=1, keepdims=True) - use**2 + new**2
    mean = np.sqrt(np.maximum(squares, 0) / count)
    top = np.sort(use, axis=1)[:, -2:, :] if use.shape[1] > 1 else np.concatenate([np.zeros_like(use), use], axis=1)
    others = np.where(use >= top[:, 1:, :], top[:, :1, :], top[:, 1:, :])
    highest = np.maximum(new, others)
    fits = lanes.fits(asked)
    criteria = 1 + np.concatenate([mean[:, :, :1], highest[:, :, :1], mean[:, :, 1:], highest[:, :, 1:]], axis=2)
    weights = np.array([1.0, 2.0, 5.0, 10.0]) / 18
    scaled = criteria / np.sqrt(np.where(fits[:, :, None], criteria**2, 0).sum(axis=1, keepdims=True) + 1e-12) * weights
    best = np.where(fits[:, :, None], scaled, np.inf).min(axis=1, keepdims=True)
    worst = np.where(fits[:, :, None], scaled, -np.inf).max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        to_best = np.sqrt(((scaled - best) ** 2).sum(axis=2))
        to_worst = np.sqrt(((scaled - worst) ** 2).sum(axis=2))
        return np.asarray(-np.nan_to_num(to_worst / (to_best + to_worst + 1e-12)))


RULES: dict[str, Rule] = {"Berth": berth, "CRS": crs, "ProxLB": proxlb, "best fit": best_fit, "cosine": cosine}


def _fullness(lanes: Lanes, asked: Floats) -> Floats:
    capacity = np.maximum(lanes.capacity, 1e-9)
    return np.asarray((1 - (lanes.free - asked[:, None, :]) / capacity).max(axis=2))


def _cosine(a: Floats, b: Floats) -> Floats:
    return np.asarray((a * b).sum(axis=2) / np.maximum(np.sqrt((a**2).sum(axis=2) * (b**2).sum(axis=2)), 1e-12))


def choose(lanes: Lanes, rule: Rule, asked: Floats, flavour: Whole) -> tuple[Whole, NDArray[np.bool_]]:
    """The best node of each lane, and whether there is one."""
    fits = lanes.fits(asked)
    badness = np.where(fits, np.round(rule(lanes, asked, flavour), 9), np.inf)
    return np.asarray(badness.argmin(axis=1)), np.asarray(fits.any(axis=1))


@dataclass(frozen=True)
class Stream:
    """What arrives in each lane, step by step, and what has left before: the same for every rule."""

    flavour: Whole
    """Lanes × steps; -1: nothing any more."""
    first: NDArray[np.bool_]
    """It begins a request of its own."""
    leaving: tuple[tuple[Whole, Whole], ...]
    """By step: lanes and numbers of the machines."""
    bound: Whole
    """Nodes without which nothing could be done, were machines fluid."""

    @classmethod
    def of(cls, traces: Sequence[Trace], node: Floats, together_max: int = 20) -> Stream:
        steps = max(map(len, traces))
        flavour = np.full((len(traces), steps), -1)
        first = np.ones((len(traces), steps), dtype=bool)
        leaving: list[tuple[list[int], list[int]]] = [([], []) for _ in range(steps)]
        bound = []
        for lane, trace in enumerate(traces):
            count = len(trace)
            flavour[lane, :count] = trace.flavour
            changed = np.r_[True, trace.tenant[1:] != trace.tenant[:-1]] | np.r_[True, trace.flavour[1:] != trace.flavour[:-1]]
            since = np.arange(count) - np.maximum.accumulate(np.where(changed, np.arange(count), 0))
            first[lane, :count] = since % together_max == 0
            when = np.searchsorted(trace.begins, trace.ends, side="left")
            for machine, step in enumerate(when):
                at = max(int(step), machine + 1)
                if at < count:
                    leaving[at][0].append(lane)
                    leaving[at][1].append(machine)
            bound.append(fluid(trace, node))
        return cls(flavour, first, tuple((np.array(a, dtype=int), np.array(b, dtype=int)) for a, b in leaving), np.array(bound))


def fluid(trace: Trace, node: Floats) -> int:
    """The most that was ever asked for at once, in nodes."""
    sizes = flavours()[trace.flavour]
    times = np.r_[trace.begins, trace.ends]
    change = np.r_[sizes, -sizes]
    order = np.lexsort((np.r_[np.ones(len(trace)), np.zeros(len(trace))], times))
    running = np.cumsum(change[order], axis=0)
    return int(np.ceil((running / node).max() - 1e-9))


def hosts(stream: Stream, rule: Rule, node: Floats, nodes: Whole, apart: bool = False) -> NDArray[np.bool_]:
    """Whether so many nodes, a lane each, take in everything that comes."""
    count, steps = stream.flavour.shape
    most = int(nodes.max())
    capacity = np.where(np.arange(most)[None, :, None] < nodes[:, None, None], node[None, None, :], 0.0)
    lanes = Lanes(capacity, fragments=rule in (berth, berth_apart))
    where = np.zeros((count, steps), dtype=int)
    alive, sizes, every = np.ones(count, dtype=bool), flavours(), np.arange(count)
    for step in range(steps):
        gone, machine = stream.leaving[step]
        if len(gone):
            left = stream.flavour[gone, machine]
            lanes.put(gone, where[gone, machine], sizes[left], left, -1)
        flavour = np.maximum(stream.flavour[:, step], 0)
        coming = (stream.flavour[:, step] >= 0) & alive
        if not coming.any():
            break
        if apart:
            lanes.beside[stream.first[:, step]] = 0
        chosen, found = choose(lanes, rule, sizes[flavour], flavour)
        alive &= found | ~coming
        put = coming & found
        where[put, step] = chosen[put]
        lanes.put(every[put], chosen[put], sizes[flavour[put]], flavour[put])
        if apart:
            lanes.beside[every[put], chosen[put]] += 1
    return alive


@dataclass(frozen=True)
class Filled:
    """Clusters filled with what came, until the first machine was turned away."""

    flavour: Whole
    """Lanes × steps."""
    where: Whole
    """The same: the node, or -1."""
    count: Whole
    """Machines that were taken in, a lane each."""


def fill(traces: Sequence[Trace], rule: Rule, capacity: Floats) -> Filled:
    """Nobody leaves. The order is the trace's own."""
    count = len(traces)
    steps = min(map(len, traces))
    flavour = np.array([trace.flavour[:steps] for trace in traces])
    lanes = Lanes(np.repeat(capacity[None], count, axis=0), fragments=rule is berth)
    where, taken = np.full((count, steps), -1), np.zeros(count, dtype=int)
    alive, every = np.ones(count, dtype=bool), np.arange(count)
    for step in range(steps):
        asked = flavours()[flavour[:, step]]
        chosen, found = choose(lanes, rule, asked, flavour[:, step])
        alive &= found
        if not alive.any():
            break
        where[alive, step] = chosen[alive]
        taken[alive] += 1
        lanes.put(every[alive], chosen[alive], asked[alive], flavour[alive, step])
    return Filled(flavour, where, taken)


def fluid_count(flavour: Whole, total: Floats) -> int:
    """How many of these would fit, were machines fluid."""
    return int((np.cumsum(flavours()[flavour], axis=0) <= total + 1e-9).all(axis=1).argmin())


def carries(flavour: Whole, where: Whole, capacity: Floats) -> bool:
    """Whether the machines of any one node find places on the others, the largest first, each where least memory is left."""
    sizes = flavours()[flavour]
    free = capacity.copy()
    np.subtract.at(free, where, sizes)
    for lost in range(len(capacity)):
        left = free.copy()
        left[lost] = -1
        movers = sizes[where == lost]
        for size in movers[np.lexsort((-movers[:, 0], -movers[:, 1]))]:
            fitting = (left >= size).all(axis=1)
            if not fitting.any():
                return False
            left[np.where(fitting, left[:, 1], np.inf).argmin()] -= size
    return True


def safe_count(filled: Filled, lane: int, capacity: Floats) -> int:
    """With how many of its machines a cluster still carried the loss of any one node: by halving."""
    low, high = 0, int(filled.count[lane])
    while low < high:
        middle = (low + high + 1) // 2
        if carries(filled.flavour[lane, :middle], filled.where[lane, :middle], capacity):
            low = middle
        else:
            high = middle - 1
    return low


def safely(trace: Trace, capacity: Floats) -> int:
    """How many machines Berth's rule of small clusters takes in when it refuses what would leave somebody without a place."""
    lanes = Lanes(capacity[None], fragments=False)
    where: list[int] = []
    for count in range(len(trace)):
        flavour = trace.flavour[: count + 1]
        asked = flavours()[flavour[-1:]]
        badness = np.where(lanes.fits(asked), spread(lanes, asked, flavour[-1:]), np.inf)[0]
        full = (1 - lanes.free[0] / capacity).max() > SURE
        ordered = (int(node) for node in np.argsort(badness, kind="stable") if np.isfinite(badness[node]))
        best = next((n for n in ordered if not full or carries(flavour, np.array([*where, n]), capacity)), None)
        if best is None:
            return count
        where.append(best)
        lanes.put(np.array([0]), np.array([best]), asked, flavour[-1:])
    return len(trace)


def least(stream: Stream, rule: Rule, node: Floats, apart: bool = False, share_max: float = 1.3) -> Whole:
    """The fewest nodes, a lane each, with which nothing is turned away: by halving."""
    low, high = stream.bound.copy(), np.ceil(stream.bound * share_max).astype(int) + 1
    while (low < high).any():
        middle = (low + high) // 2
        good = hosts(stream, rule, node, middle, apart)
        high, low = np.where(good, middle, high), np.where(good, low, np.minimum(middle + 1, high))
    return np.asarray(high)
