"""What a share of a cluster of one's own costs a month, from figures that the site states: an estimate with its arithmetic, no price."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tools.data import table
from tools.rules.plans.pricing import HOURS_A_MONTH
from tools.values.plan import Line
from tools.values.site import OwnMetal

PATH = "own metal"
"""What such a line is grouped by: it adds up with nothing that is paid for."""
NOT_STATED = (
    "A cluster of your own has no price here: the lines say what share of it is taken. State `own_metal` in the site file "
    "(docs/environments.md), and a month of it is told in money as well."
)


class Default(NamedTuple):
    value: float
    source: str


@cache
def facility_factor() -> Default:
    """Taken where the site states none of its own."""
    row = next(row for row in table("own-metal") if row["figure"] == "facility_factor")
    return Default(float(row["value"]), f"{row['source']}, taken {row['taken']}")


def node_monthly(metal: OwnMetal) -> float:
    """One node: its price over its years, and its energy with what cools and feeds it."""
    return metal.node_price / (metal.years * 12) + metal.watts / 1000 * HOURS_A_MONTH * _factor(metal) * metal.kwh_price


def monthly(metal: OwnMetal, node_count: int, share: float) -> float:
    return (node_monthly(metal) * node_count + metal.other_monthly) * share


def line(subject: str, metal: OwnMetal, node_count: int, memory_share: float, cpu_share: float) -> Line:
    """The larger of the two shares counts: what is left of the other one is of no use to anybody else."""
    amount = monthly(metal, node_count, max(memory_share, cpu_share))
    note = f"about {amount:,.2f} {metal.currency} a month of your own hardware and energy (an estimate)"
    return Line(subject=subject, path=PATH, quantity=round(amount, 2), unit=f"{metal.currency} a month", amount=None, note=note)


def arithmetic(metal: OwnMetal, node_count: int, memory_share: float, cpu_share: float) -> str:
    """One sentence that anybody can check with a pocket calculator."""
    of = "memory" if memory_share >= cpu_share else "processors"
    share = max(memory_share, cpu_share)
    source = "" if metal.facility_factor else f" ({facility_factor().source})"
    other = f" + {metal.other_monthly:,.2f}" if metal.other_monthly else ""
    node = (
        f"{metal.node_price:,.2f} {metal.currency} ÷ {metal.years * 12:g} months + {metal.watts / 1000:g} kW × {HOURS_A_MONTH:g} h × "
        f"{_factor(metal):g} for cooling and supply{source} × {metal.kwh_price:g} {metal.currency} a kWh"
    )
    whole = node_monthly(metal) * node_count + metal.other_monthly
    return (
        f"Own hardware and energy, an estimate by the site's figures: {node_count} nodes × ({node}){other} = {whole:,.2f} a month. "
        f"Of it {share:.2%}: the larger share, which is that of {of}."
    )


def _factor(metal: OwnMetal) -> float:
    return metal.facility_factor or facility_factor().value
