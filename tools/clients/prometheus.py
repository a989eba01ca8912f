"""Asks a Prometheus how busy nodes have been, through prometheus-api-client. It looks at what prometheus-pve-exporter records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect
from urllib3.util.retry import Retry

from tools.clients.together import together
from tools.rules.machines.seeing import COVERAGE_MIN
from tools.values.snapshot import Load, ScanProblem
from tools.values.trouble import WorldProblem
from tools.values.value import Json

DAYS = 7
STEP_MINUTES = 5
ANSWER_SECONDS_MAX = 10
_NODES = '{id=~"node/.+"}'
QUERIES = {
    "cpu": f"max by (id) (quantile_over_time(0.95, pve_cpu_usage_ratio{_NODES}[{DAYS}d]))",
    "memory": f"max by (id) (quantile_over_time(0.95, pve_memory_usage_bytes{_NODES}[{DAYS}d]))",
    # Counted in steps, so that it does not matter how often it scrapes.
    "coverage": f"max by (id) (count_over_time(pve_cpu_usage_ratio{_NODES}[{DAYS}d:{STEP_MINUTES}m]))",
}


def node_loads(url: str, ca_file: Path | None, nodes: Sequence[str], now: datetime) -> tuple[dict[str, Load], tuple[ScanProblem, ...]]:
    """The 95th percentiles of the last seven days of every node of which enough is known. Raises WorldProblem when it is away."""
    session = requests.Session()
    session.verify = str(ca_file) if ca_file else True
    session.max_redirects = 0
    connection = PrometheusConnect(
        url, session=session, timeout=ANSWER_SECONDS_MAX, retry=Retry(total=1, backoff_factor=0.1, raise_on_status=False)
    )
    answers = together({name: partial(_ask, connection, url, query, now) for name, query in QUERIES.items()})
    figures: dict[str, dict[str, float]] = {}
    for name, answer in answers.items():
        if isinstance(answer, WorldProblem):
            raise answer
        figures[name] = answer
    loads: dict[str, Load] = {}
    problems = []
    for node in nodes:
        coverage = min(1.0, figures["coverage"].get(f"node/{node}", 0.0) / (DAYS * 24 * 60 / STEP_MINUTES))
        if coverage < COVERAGE_MIN:
            problems.append(
                ScanProblem(
                    subject=f"history of {node}",
                    detail=f"Prometheus knows {coverage:.0%} of its last {DAYS} days, which is too little.".replace("%", " %"),
                    remedy="The node's own record of the last day is used. Check that prometheus-pve-exporter is scraped for it.",
                )
            )
            continue
        loads[node] = Load(
            cpu_ratio_p95=figures["cpu"].get(f"node/{node}"),
            memory_bytes_p95=figures["memory"].get(f"node/{node}"),
            source=f"Prometheus, {DAYS} days, {coverage:.0%} of samples".replace("%", " %"),
        )
    return loads, tuple(problems)


def _ask(connection: PrometheusConnect, url: str, query: str, now: datetime) -> dict[str, float]:
    try:
        result: Json = connection.custom_query(query, params={"time": str(now.timestamp())})
        values = {str(series["metric"].get("id")): float(series["value"][1]) for series in result}
    except (requests.RequestException, PrometheusApiClientException) as error:
        raise WorldProblem(
            "Prometheus is away.",
            f"{url} did not answer a query ({type(error).__name__}).",
            "Check PROMETHEUS_URL; until it answers, the nodes' own record of the last day is used.",
            retryable=True,
        ) from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise WorldProblem(
            "Prometheus cannot be understood.", f"{url} answered with something that is not a vector.", "Check PROMETHEUS_URL."
        ) from None
    return {name: value for name, value in values.items() if math.isfinite(value) and value >= 0}
