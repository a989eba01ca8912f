"""Many conversations with one `berth serve` at the same time, in turns that need neither a model nor Terraform: with one process, and with
as many as the machine has processors, over PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Mapping
from pathlib import Path

from benchmarks import load
from tests.ledger.postgresql import postgresql_server, postgresql_url

from .conftest import Tally

__all__ = ["postgresql_server", "postgresql_url"]

BUSY = 2 * (os.cpu_count() or 1)
"""With more than that at work a second is no measure of this service: then it is told, and not judged. Nor is it beside other tests."""
ALONE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) == 1


def test_many_conversations_at_once(tmp_path: Path, tally: Tally) -> None:
    judge(tmp_path, {}, 1, "conversations at once, one process", tally)


def test_many_conversations_at_once_with_several_workers(tmp_path: Path, postgresql_url: str, tally: Tally) -> None:
    workers = max(2, os.cpu_count() or 1)
    judge(tmp_path, {"BERTH_DATABASE_URL": postgresql_url}, workers, "conversations at once, a worker a processor", tally)


def judge(folder: Path, given: Mapping[str, str], workers: int, what: str, tally: Tally) -> None:
    count, at_work = tally.wanted(what), os.getloadavg()[0]
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "VIRTUAL_ENV") if name in os.environ} | given
    with load.service(folder, environment, count, workers) as (url, pid):
        (alone, _), (paced, cpu), (pressed, _) = asyncio.run(load.measure(url, pid, count))
    p95 = statistics.quantiles(load.seconds_of(paced), n=20)[-1]
    one = statistics.median(load.seconds_of(alone))
    each = 1000 * cpu / len(paced)
    took = f"p95 {p95:.2f} s, one alone {one:.3f} s; {each:.0f} ms of a processor a turn"
    print(f"\n{count} conversations, {workers} at work on them: {took}; load {at_work:.0f}")
    assert all(fine for _, fine in (*alone, *paced, *pressed)), "no answer failed"
    assert p95 < load.P95_MS_MAX / 1000 or at_work > BUSY or not ALONE
    tally.done(what, count)
