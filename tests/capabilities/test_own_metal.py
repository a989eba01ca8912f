"""What a share of one's own cluster costs a month: the arithmetic, and where it is told."""

from __future__ import annotations

import pytest
from clusters import NOTHING, SITE, four_nodes
from hypothesis import given
from hypothesis import strategies as st
from machine_chain import composed
from pydantic import ValidationError

from tools.data import table
from tools.platforms import estimate
from tools.rules.plans import own_metal
from tools.rules.words.answering import cost
from tools.rules.words.rendering import draw
from tools.values.plan import Estimate
from tools.values.site import OwnMetal
from tools.values.situation import Situation

METAL = OwnMetal(node_price=9000, years=5, watts=400, kwh_price=0.25, facility_factor=1.5, currency="EUR")
WEB = {"count": "two", "network": "20", "environment": "staging", "memory": "8 GB", "cpu_count": "2"}


def estimated(metal: OwnMetal | None) -> Estimate:
    situation = Situation({"proxmox": four_nodes()}, SITE.model_copy(update={"own_metal": metal}), NOTHING)
    return estimate(composed("web_server", WEB).parts, situation)


def test_a_node_costs_its_price_over_its_years_and_its_energy_with_what_cools_it() -> None:
    assert own_metal.node_monthly(METAL) == pytest.approx(9000 / 60 + 0.4 * 730 * 1.5 * 0.25)
    assert own_metal.node_monthly(METAL) == pytest.approx(259.5)


def test_the_larger_share_of_all_online_nodes_counts() -> None:
    nodes = [node for node in four_nodes().nodes if node.online]
    memory = 16 * 2**30 / sum(node.memory_bytes for node in nodes)
    processors = 4 / sum(node.cpu_count for node in nodes)
    [line] = [one for one in estimated(METAL).lines if one.path == own_metal.PATH]
    assert line.quantity == pytest.approx(259.5 * len(nodes) * max(memory, processors), abs=0.01)
    assert (line.unit, line.amount) == ("EUR a month", None)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 64))
def test_it_grows_with_the_share_and_all_of_the_cluster_costs_all_of_it(memory: float, cpu: float, nodes: int) -> None:
    one = own_metal.line("x", METAL, nodes, memory, cpu).quantity
    whole = own_metal.line("x", METAL, nodes, 1, 1).quantity
    assert 0 <= one <= whole == pytest.approx(own_metal.node_monthly(METAL) * nodes, abs=0.01)


def test_it_enters_no_sum_and_its_arithmetic_can_be_checked() -> None:
    told = estimated(METAL)
    assert (told.currency, told.total) == ("", None)
    [sentence] = told.assumptions
    for figure in ("9,000.00 EUR", "60 months", "0.4 kW", "730 h", "1.5 for cooling", "0.25 EUR a kWh"):
        assert figure in sentence


def test_a_factor_that_is_not_stated_is_the_published_one_and_says_its_source() -> None:
    [row] = [row for row in table("own-metal") if row["figure"] == "facility_factor"]
    told = own_metal.arithmetic(METAL.model_copy(update={"facility_factor": None}), 1, 0.5, 0.1)
    assert f"{float(row['value']):g} for cooling and supply ({row['source']}, taken {row['taken']})" in told


def test_a_question_is_answered_in_money_only_where_the_site_states_its_figures() -> None:
    manifest = composed("web_server", WEB)
    without, stated = (draw(cost(manifest, estimated(metal))) for metal in (None, METAL))
    assert "EUR" not in without and "Nothing in money" in without
    assert "EUR a month of your own hardware and energy (an estimate)" in stated and "Nothing in money" not in stated
    assert [one.path for one in estimated(None).lines] == ["cluster", "cluster", "storage"]


@pytest.mark.parametrize("wrong", [{"years": 0}, {"watts": -1}, {"facility_factor": 0.9}, {"node_price": -1}, {"currency": "euro"}])
def test_figures_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OwnMetal.model_validate(METAL.model_dump() | wrong)
