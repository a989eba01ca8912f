"""What is spent by the runs that stand."""

from __future__ import annotations

from datetime import date

from tools.values.value import Value


class Spend(Value):
    run_id: str
    names: tuple[str, ...]
    """Of its parts."""
    team: str = ""
    environment: str = ""
    estimated_monthly: float | None
    """By its plan, in USD; None when nothing is paid in money."""
    charged: float | None
    """This month so far, in `Spending.currency`; None where Azure did not tell."""


class Spending(Value):
    spends: tuple[Spend, ...]
    others: float
    """Charged in the same subscriptions for what Berth did not make."""
    read: bool
    """Azure told what it charges."""
    unread: tuple[str, ...] = ()
    """Sentences: why a subscription's charges were not read."""
    currency: str = ""
    """Of what was charged."""
    on: date

    @property
    def estimated(self) -> float:
        return round(sum(one.estimated_monthly or 0.0 for one in self.spends), 2)

    @property
    def charged(self) -> float:
        """For what Berth made, where it is known."""
        return round(sum(one.charged or 0.0 for one in self.spends), 2)

    @property
    def by_team(self) -> dict[tuple[str, str], tuple[float, float]]:
        """(team, environment) → (charged this month, estimated a month)."""
        found: dict[tuple[str, str], tuple[float, float]] = {}
        for one in self.spends:
            key = one.team, one.environment
            charged, estimated = found.get(key, (0.0, 0.0))
            found[key] = (round(charged + (one.charged or 0.0), 2), round(estimated + (one.estimated_monthly or 0.0), 2))
        return found
