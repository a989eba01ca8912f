"""Alerts and dashboards are data: each alert is tried firing and silent by promtool, and a real Prometheus takes every query of both.

What real exporters answer to the queries is tests/stories/test_monitoring.py's to show.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.monitoring.queries import DASHBOARDS, RULES, alerts, asked, dashboards, queries

CASES = Path(__file__).with_name("alerts.yml")


@pytest.fixture(autouse=True)
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("there is no promtool on PATH (Debian package prometheus)")
    return found


def test_every_alert_fires_for_what_is_sick_and_leaves_the_rest_alone(promtool: str) -> None:
    done = subprocess.run([promtool, "test", "rules", CASES.name], cwd=CASES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried_and_says_what_is_so_and_what_to_do() -> None:
    cases = yaml.safe_load(CASES.read_text())
    assert [(ROOT / "tests" / "monitoring" / one).resolve() for one in cases["rule_files"]] == [RULES]
    expected = [s["labels"] for case in cases["tests"] for one in case["promql_expr_test"] for s in one["exp_samples"]]
    assert {re.findall(r'alertname="(\w+)"', labels)[0] for labels in expected} == {one["alert"] for one in alerts()}
    for one in alerts():
        assert one["labels"]["severity"] in ("critical", "warning"), one["alert"]
        assert set(one["annotations"]) == {"summary", "next"}, one["alert"]


def test_a_real_prometheus_takes_every_query(prometheus: str) -> None:
    answers = {query: asked(prometheus, query) for query in queries()}
    assert len(answers) > 40
    assert {query: answer["error"] for query, answer in answers.items() if answer["status"] != "success"} == {}


def test_a_real_prometheus_takes_what_the_aims_are_measured_by(prometheus: str) -> None:
    aims = re.findall(r"\| `([^`]*berth_[^`]*)` \|$", (ROOT / "docs" / "serving.md").read_text(), re.MULTILINE)
    assert len(aims) >= 4
    assert [query for query in aims if asked(prometheus, query)["status"] != "success"] == []


def test_dashboards_are_found_by_names_of_their_own() -> None:
    names = [(one["uid"], one["title"]) for one in dashboards()]
    assert len(names) == len(dict(names)) == len({title for _, title in names}) == len(list(DASHBOARDS.glob("*.json")))
    for one in dashboards():
        assert {target["datasource"]["uid"] for panel in one["panels"] for target in panel["targets"]} == {"prometheus"}
