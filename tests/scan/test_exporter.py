"""prometheus-pve-exporter, unmodified and with its default options, reads the simulated cluster; a real Prometheus scrapes it, and Berth
reads that.

A week has to pass before a percentile of seven days says something, so the figures that Prometheus scraped are given a past.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml

from tests.conftest import free_port, wait_until
from tests.monitoring.queries import figures_of, queries

from .conftest import Connected, prometheus_at
from .remote_write import write
from .test_scan import look

EXPORTER = Path(sys.executable).with_name("pve_exporter")
READY_SECONDS_MAX = 30
STEP_SECONDS, DAYS = 300, 7
OF_A_COLLECTOR = {
    "pve_up": "status",
    "pve_version_info": "version",
    "pve_node_info": "node",
    "pve_cluster_info": "cluster",
    "pve_cpu_usage_ratio": "resources",
    "pve_not_backed_up_total": "backup-info",
    "pve_onboot_status": "config",
    "pve_subscription_status": "subscription",
    "pve_replication_info": "replication",
}
"""A family of figures of each collector that is on by default. One that had its answers names its families, with samples or none; only
`qdevice` names none on a cluster that has no such device."""


@contextmanager
def exporter(connected: Connected, folder: Path) -> Iterator[str]:
    """The address of its page about that cluster, all collectors on."""
    if not EXPORTER.exists():
        pytest.skip("prometheus-pve-exporter is not installed here")
    who, _, secret = connected.proxmox_api_token.get_secret_value().partition("=")
    user, _, name = who.partition("!")
    login = {"user": user, "token_name": name, "token_value": secret, "verify_ssl": str(connected.ca_file)}
    (folder / "pve.yml").write_text(yaml.safe_dump({"default": login}))
    port, cluster = free_port(), urlsplit(connected.proxmox_endpoint)
    environment = {key: value for key, value in os.environ.items() if key not in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")}
    arguments = [str(EXPORTER), "--config.file", str(folder / "pve.yml"), "--web.listen-address", f"127.0.0.1:{port}"]
    with (folder / "exporter.log").open("wb") as log, subprocess.Popen(arguments, stdout=log, stderr=log, env=environment) as process:
        try:
            wait_until(lambda: answers(port), READY_SECONDS_MAX, (folder / "exporter.log").read_text)
            yield f"127.0.0.1:{port}/pve?target={cluster.hostname}:{cluster.port}&cluster=1&node=1"
        finally:
            process.terminate()
            process.wait(30)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/", timeout=1).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def scraped(four_nodes: Connected, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """(the exporter's page, a Prometheus that has scraped it)."""
    folder = tmp_path_factory.mktemp("exporter")
    with exporter(four_nodes, folder) as page:
        address, _, rest = page.partition("/pve?")
        job = {
            "job_name": "pve",
            "metrics_path": "/pve",
            "scrape_interval": "1s",
            "params": {key: [value] for key, _, value in (one.partition("=") for one in rest.split("&"))},
            "static_configs": [{"targets": [address]}],
        }
        # What is given a past is older than what was scraped.
        more = {"scrape_configs": [job], "storage": {"tsdb": {"out_of_order_time_window": "8d"}}}
        with prometheus_at(folder, more) as url:
            wait_until(lambda: bool(asked(url, "pve_version_info")), READY_SECONDS_MAX, lambda: str(asked(url, "up")))
            yield page, url


def asked(url: str, query: str) -> list[dict[str, Any]]:
    return list(requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=5).json()["data"]["result"])


def test_every_collector_of_the_exporter_is_answered(scraped: tuple[str, str]) -> None:
    page = requests.get(f"http://{scraped[0]}", timeout=30)
    assert page.status_code == 200, "one collector that fails makes the whole page fail"
    found = {line.split()[2] for line in page.text.splitlines() if line.startswith("# TYPE ")}
    assert [collector for figure, collector in OF_A_COLLECTOR.items() if figure not in found] == []
    drawn = {figure for query in queries() for figure in figures_of(query) if figure.startswith("pve_")}
    assert drawn and drawn <= found, "whatever an alert or a dashboard asks for"


def test_berth_reads_what_a_prometheus_scraped_of_the_exporter(four_nodes: Connected, scraped: tuple[str, str]) -> None:
    _, url = scraped
    end = int(time.time()) - STEP_SECONDS
    figures = ("pve_cpu_usage_ratio", "pve_memory_usage_bytes")
    now = {figure: asked(url, f'{figure}{{id=~"node/.+"}}') for figure in figures}
    assert {figure: len(found) for figure, found in now.items()} == dict.fromkeys(figures, 4)
    series = {f"{one['metric']['id']} {figure}": one["metric"] for figure, found in now.items() for one in found}
    values = {f"{one['metric']['id']} {figure}": float(one["value"][1]) for figure, found in now.items() for one in found}
    times = range(end - DAYS * 86400, end, STEP_SECONDS)
    write(url, series, {name: [(at, values[name]) for at in times] for name in series})
    seen = look(dataclasses.replace(four_nodes, prometheus_url=url), datetime.fromtimestamp(end, UTC))
    for node in seen.nodes:
        assert node.load is not None and node.load.source.startswith("Prometheus, 7 days, "), (node.name, seen.problems)
        assert node.load.cpu_ratio_p95 == pytest.approx(values[f"node/{node.name} pve_cpu_usage_ratio"])
        assert node.load.memory_bytes_p95 == pytest.approx(values[f"node/{node.name} pve_memory_usage_bytes"])
