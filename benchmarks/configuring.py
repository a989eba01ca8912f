"""Configuring ten machines, against one of them: the same playbook, over SSH, on guests that model a host and run no program.

So it is what Ansible and SSH take on this computer. Ten real guests on its processors would share them, and measure the guests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from benchmarks import bare
from benchmarks.approvals import stop_after
from benchmarks.bench import Bench
from benchmarks.rows import Row, median, spread

ONE, TEN = "a web server on network 20 for development", "ten web servers on network 20 for development"
RATIO_MAX = 2.5


def configuring(bench: Bench) -> Iterator[Row]:
    one, ten = ([asyncio.run(_once(bench, text)) for _ in range(bench.times)] for text in (ONE, TEN))
    yield Row("configuring ten machines", median(ten), "s", median(one), "one machine", RATIO_MAX, spread(ten))


async def _once(bench: Bench, text: str) -> float:
    """What is made is destroyed again, so that every time finds the same cluster."""
    bench.free()
    session = await bench.agents.begin()
    planned = await bench.agents.say(session, text)
    (part,) = bare.parts_of(bench.run_folder(planned.planned_run))
    watching = asyncio.create_task(asyncio.to_thread(stop_after, planned.planned_run, "configure"))
    await bench.agents.say(session, f"approve {planned.digest}")
    began, ended = await watching
    bare.run(bench.recorder.bare, bare.DESTROYING, part, bench.terraform_environment(part))
    return ended - began
