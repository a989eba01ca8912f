"""Many conversations with one `berth serve` at the same time, in turns that need neither a model nor Terraform."""

from __future__ import annotations

import asyncio
import os
import statistics
from pathlib import Path

from benchmarks import load

from .conftest import Tally

BUSY = 2 * (os.cpu_count() or 1)
"""With more than that at work a second is no measure of this service: then it is told, and not judged. Nor is it beside other tests."""
ALONE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) == 1


def test_many_conversations_at_once(tmp_path: Path, tally: Tally) -> None:
    count, at_work = tally.wanted("conversations at once"), os.getloadavg()[0]
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "VIRTUAL_ENV") if name in os.environ}
    with load.service(tmp_path, environment, count) as (url, pid):
        (alone, _), (paced, cpu), (pressed, _) = asyncio.run(load.measure(url, pid, count))
    p95 = statistics.quantiles(load.seconds_of(paced), n=20)[-1]
    one = statistics.median(load.seconds_of(alone))
    each = 1000 * cpu / len(paced)
    print(f"\n{count} conversations: p95 {p95:.2f} s, one alone {one:.3f} s; {each:.0f} ms of a processor a turn; load {at_work:.0f}")
    assert all(fine for _, fine in (*alone, *paced, *pressed)), "no answer failed"
    assert p95 < load.P95_MS_MAX / 1000 or at_work > BUSY or not ALONE
    tally.done("conversations at once", count)
