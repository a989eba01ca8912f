"""Requests for machines as a cloud got them (benchmarks/data/azure-2017): samples of whole tenants, with a fixed seed."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "data" / "azure-2017"
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Trace:
    """A machine a row, in the order in which they were asked for."""

    begins: Floats
    ends: Floats
    """Infinite: alive at the end."""
    flavour: Whole
    tenant: Whole
    """Number of the request of a tenant that it belongs to."""

    def __len__(self) -> int:
        return len(self.begins)

    def only(self, which: NDArray[np.bool_]) -> Trace:
        return Trace(self.begins[which], self.ends[which], self.flavour[which], self.tenant[which])


@cache
def flavours() -> Floats:
    """A flavour a row: vCPU, GiB."""
    lines = (line.split() for line in (FOLDER / "flavours.txt").read_text().splitlines())
    by_name = {name: size.split(",") for size, name in lines}
    return np.array([[float(one) for one in by_name[name]] for name in sorted(by_name)])


@cache
def _read() -> tuple[Whole, Whole, Whole, NDArray[np.bool_], Whole]:
    """Begin, flavour, bin of the life, whether it was still alive, tenant."""
    begins, flavour, lives, alive, tenants = [], [], [], [], []
    tenant = 0
    with lzma.open(FOLDER / "v1.dev.txt.xz", "rt") as asked, lzma.open(FOLDER / "v1.dev.c2100000.txt.xz", "rt") as lived:
        for one, other in zip(asked, lived, strict=True):
            second, _, names = one.strip().partition(" ")
            _, _, spans = other.strip().partition(" ")
            for name, span in zip(names.split(","), spans.split(","), strict=True):
                if name == "|":
                    tenant += 1
                elif name:
                    begins.append(int(second))
                    flavour.append(ord(name) - ord("a"))
                    lives.append(int(span[1:]))
                    alive.append(span[0] == "C")
                    tenants.append(tenant)
    return np.array(begins), np.array(flavour), np.array(lives), np.array(alive), np.array(tenants)


def sample(seed: int, share: float, hours: float = 84) -> Trace:
    """So large a share of the tenants, of the first hours."""
    begins, flavour, lives, alive, tenant = _read()
    random = np.random.default_rng(seed)
    taken = random.random(tenant[-1] + 1) < share
    spans = np.array([[float(one) for one in line.split()] for line in (FOLDER / "lifetimes.txt").read_text().splitlines()])
    low, high = spans[lives, 1], spans[lives, 2]
    ends = begins + low + random.random(len(begins)) * (high - low)
    ends[alive] = np.inf
    which = taken[tenant] & (begins < begins[0] + hours * 3600)
    return Trace(begins[which].astype(float), ends[which], flavour[which], tenant[which])
