"""The queries of alerts and dashboards, as Prometheus is asked them."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import yaml

from tests.conftest import ROOT

FILES = ROOT / "ansible" / "roles" / "monitoring" / "files"
RULES, DASHBOARDS = FILES / "rules.yml", FILES / "dashboards"


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]


def queries() -> list[str]:
    drawn = [target["expr"] for one in dashboards() for panel in one["panels"] for target in panel["targets"]]
    # The machines that may be chosen are the values of a label of these.
    chosen = [
        re.sub(r"label_values\((.*), instance\)", r"\1", one["query"]) for board in dashboards() for one in board["templating"]["list"]
    ]
    # Grafana puts the machines that were chosen in the place of its variable: all of them, as it begins.
    return [*(one["expr"] for one in alerts()), *(expr.replace("$machine", ".*") for expr in drawn), *chosen]


def asked(url: str, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{url}/api/v1/query", params={"query": query}).json()
    return answer


def figures_of(query: str) -> set[str]:
    """The names of the figures that a query asks for."""
    bare = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\b(?:by|on|group_left) \([^)]*\)", "", query)
    return set(re.findall(r"\b([a-z]+_[a-z0-9_]+)\b", bare)) - {"predict_linear", "min_over_time", "group_left", "histogram_quantile"}
