"""Reads several things side by side. What a failure means is for the caller: it gets the trouble in place of the value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tools.values.trouble import WorldProblem

WORKERS_MAX = 8
Key = TypeVar("Key", bound=Hashable)
Read = TypeVar("Read")


class Away(WorldProblem):
    """A whole world cannot be read: it is away, its certificate is not trusted, or whoever asks is refused."""


def together(reads: Mapping[Key, Callable[[], Read]], workers: int = WORKERS_MAX) -> dict[Key, Read | WorldProblem]:
    """Every read by its key, in the order given."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        running = {key: pool.submit(_tried, read) for key, read in reads.items()}
        return {key: future.result() for key, future in running.items()}


def _tried(read: Callable[[], Read]) -> Read | WorldProblem:
    try:
        return read()
    except WorldProblem as problem:
        return problem
