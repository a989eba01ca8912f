"""A turn late in a long conversation, against one early in it: edits of a request, each answered by its open question, none by a plan."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.rows import Row, median

TURNS, SOME = 200, 20
RATIO_MAX = 2.0
BEGIN = "a PostgreSQL database on network 20 for development"
EDIT = "make it {gib} GB of memory"


def turns(bench: Bench) -> Iterator[Row]:
    seconds = asyncio.run(_seconds(bench))
    early, late = median(seconds[:SOME]), median(seconds[-SOME:])
    note = f"medians of {SOME} turns; the first {SOME} and the last"
    yield Row(f"a turn at the end of {TURNS}", 1000 * late, "ms", 1000 * early, "a turn at the beginning", RATIO_MAX, note)


async def _seconds(bench: Bench) -> list[float]:
    session = await bench.agents.begin()
    await bench.agents.say(session, BEGIN)  # It loads what it needs.
    await bench.agents.say(session, EDIT.format(gib=3))
    took = [(await bench.agents.say(session, EDIT.format(gib=4 + n % 2))).seconds for n in range(TURNS)]
    await bench.agents.say(session, "no")
    return took
