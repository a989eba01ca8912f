"""Does the same with several things side by side, up to a bound. What waits for what is tools.pipeline.side_by_side's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tools.clients.tracing import carried
from tools.values.trouble import WorldProblem

WORKERS_MAX = 8
Key = TypeVar("Key", bound=Hashable)
Read = TypeVar("Read")
One = TypeVar("One")
Made = TypeVar("Made")


class Away(WorldProblem):
    """A whole world cannot be read: it is away, its certificate is not trusted, or whoever asks is refused."""


def together(reads: Mapping[Key, Callable[[], Read]], workers: int = WORKERS_MAX) -> dict[Key, Read | WorldProblem]:
    """Every read by its key, in the order given. What a failure means is for the caller: it gets the trouble in place of the value."""
    return dict(zip(reads, each(_tried, reads.values(), workers), strict=True))


def each(work: Callable[[One], Made], things: Collection[One], at_once: int = WORKERS_MAX) -> tuple[Made, ...]:
    """What comes of each, in their order. What the first of them raises is raised when all that was begun has come to its end."""
    if len(things) < 2:
        return tuple(map(work, things))
    with ThreadPoolExecutor(min(at_once, len(things)), thread_name_prefix="each") as pool:
        return tuple(one.result() for one in [pool.submit(carried(work), thing) for thing in things])


def _tried(read: Callable[[], Read]) -> Read | WorldProblem:
    try:
        return read()
    except WorldProblem as problem:
        return problem
