"""The same properties as in the suite, many times over. How often is a setting, BERTH_ENDURANCE: `ci` (as `make test-endurance` has it),
`nightly`, or `short` to see whether it works; `nightly:0.05` is that share of it. What was really done is counted, and printed at the
end."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

COUNTS = {
    "one part, killed once": {"short": 6, "ci": 0, "nightly": 0},  # 0: all there are.
    "one part, killed twice": {"short": 12, "ci": 0, "nightly": 0},
    "three parts, killed once": {"short": 6, "ci": 0, "nightly": 0},
    "three parts, killed twice": {"short": 12, "ci": 60, "nightly": 0},
    "three parts, killed three times": {"short": 12, "ci": 500, "nightly": 100_000},
    "Terraform killed": {"short": 2, "ci": 20, "nightly": 1_000},
    "injections": {"short": 200, "ci": 2_000, "nightly": 20_000},
    "hostile tool calls": {"short": 500, "ci": 20_000, "nightly": 1_000_000},
    "mutated or replayed approvals": {"short": 200, "ci": 2_000, "nightly": 50_000},
    "API cases": {"short": 100, "ci": 2_000, "nightly": 100_000},
    "API cases of the door": {"short": 100, "ci": 1_000, "nightly": 50_000},
    "simultaneous confirmations": {"short": 80, "ci": 200, "nightly": 10_000},
    "seconds of soak": {"short": 20, "ci": 600, "nightly": 86_400},
    "conversations at once, one process": {"short": 5, "ci": 50, "nightly": 50},
    "conversations at once, a worker a processor": {"short": 5, "ci": 50, "nightly": 200},
}
COLUMN, _, _SHARE = (os.environ.get("BERTH_ENDURANCE") or "ci").partition(":")
SHARE = float(_SHARE or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "endurance":
            item.add_marker(pytest.mark.endurance)
            item.add_marker(pytest.mark.timeout(0))


class Tally:
    """How often a thing is to be done, and how often it was."""

    def __init__(self, record: Callable[[str, object], None]) -> None:
        self._record = record

    def wanted(self, what: str) -> int:
        return math.ceil(COUNTS[what][COLUMN] * SHARE)

    def done(self, what: str, count: int) -> None:
        self._record("endured", (what, self.wanted(what), count))


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    return Tally(record_property)


def many(property_test: Any, count: int, **strategies: Any) -> Callable[[], int]:
    """A property of the suite with other strategies and as many examples; gives how many were tried. A failure shows its example and how to
    see it again."""
    inner, tried = property_test.hypothesis.inner_test, 0

    def counted(**given_: Any) -> None:
        nonlocal tried
        tried += 1
        inner(**given_)

    every = settings(
        max_examples=count,
        deadline=None,
        print_blob=True,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )(given(**strategies)(counted))

    def run() -> int:
        every()
        return tried

    return run


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, ()) if one.when == "call"]
    rows = [(*value, one.duration) for one in reports for name, value in one.user_properties if name == "endured"]
    if rows:
        terminalreporter.write_line(f"{f'endured ({SHARE:g} of {COLUMN})':<44}{'wanted':>10}{'done':>10}{'seconds':>10}")
    for what, wanted, done, seconds in rows:
        terminalreporter.write_line(f"{what:<44}{wanted or 'all':>10}{done:>10}{seconds:>10.0f}")
