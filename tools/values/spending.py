"""What is spent by the runs that stand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tools.values.value import Value

Sums = tuple[tuple[str, float], ...]
"""(currency, amount), each currency once: what is paid in two is never one sum."""


def add_up(amounts: Iterable[tuple[str, float]]) -> Sums:
    found: dict[str, float] = {}
    for currency, amount in amounts:
        found[currency] = found.get(currency, 0.0) + amount
    return tuple((currency, round(amount, 2)) for currency, amount in sorted(found.items()))


class Spend(Value):
    run_id: str
    names: tuple[str, ...]
    """Of its parts."""
    team: str = ""
    environment: str = ""
    estimated_monthly: Sums
    """By its plan; empty when nothing is paid in money."""
    charged: Sums | None
    """This month so far; None where Azure did not tell."""


class Spending(Value):
    spends: tuple[Spend, ...]
    others: Sums
    """Charged in the same subscriptions for what Berth did not make."""
    read: bool
    """Azure told what it charges."""
    unread: tuple[str, ...] = ()
    """Sentences: why a subscription's charges were not read."""
    on: date

    @property
    def estimated(self) -> Sums:
        return add_up(sum_ for one in self.spends for sum_ in one.estimated_monthly)

    @property
    def charged(self) -> Sums:
        """For what Berth made, where it is known."""
        return add_up(sum_ for one in self.spends for sum_ in one.charged or ())

    @property
    def by_team(self) -> dict[tuple[str, str], tuple[Sums, Sums]]:
        """(team, environment) → (charged this month, estimated a month)."""
        found: dict[tuple[str, str], tuple[Sums, Sums]] = {}
        for one in self.spends:
            key = one.team, one.environment
            charged, estimated = found.get(key, ((), ()))
            found[key] = add_up((*charged, *(one.charged or ()))), add_up((*estimated, *one.estimated_monthly))
        return found
