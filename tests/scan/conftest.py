"""Worlds to look at: the simulated cluster over HTTPS, and a real Prometheus with a past. Each is opened once and closed at the end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from pydantic import SecretStr

from cluster_sim.authority import Authority, make_authority
from cluster_sim.http import Server, Service
from cluster_sim.serve import Settings as ServeSettings
from cluster_sim.serve import open_world
from cluster_sim.world import read_world

FOUR_NODES = Path(__file__).parents[2] / "cluster_sim" / "worlds" / "four_nodes.yaml"
AZURE = FOUR_NODES.with_name("azure_subscription.yaml")
WORLDS = Path(__file__).parent / "worlds"
LOOKS_MAX = 100


@dataclass(frozen=True)
class Connected:
    """The settings that a scan needs."""

    proxmox_endpoint: str
    proxmox_api_token: SecretStr
    ca_file: Path | None
    prometheus_url: str = ""
    proxmox_scan_token: SecretStr = field(default=SecretStr(""))


@dataclass(frozen=True)
class Subscribed:
    """The settings that a scan of Azure needs."""

    ca_file: Path | None
    arm_subscription_id: str
    arm_tenant_id: str
    arm_client_id: str
    arm_client_secret: SecretStr
    arm_resource_manager_endpoint: str
    arm_active_directory_authority_host: str
    arm_resource_manager_audience: str = ""


def _connected(stack: ExitStack, folder: Path, *worlds: Path) -> Connected:
    ready = open_world(read_world(*worlds), ServeSettings(guests="none", folder=folder), stack)
    return Connected(ready["proxmox"]["url"], SecretStr(ready["proxmox"]["token"]), Path(ready["ca_file"]))


@pytest.fixture(scope="session")
def four_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with ExitStack() as stack:
        yield _connected(stack, tmp_path_factory.mktemp("four_nodes"), FOUR_NODES)


@pytest.fixture(scope="session")
def bad_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with ExitStack() as stack:
        yield _connected(stack, tmp_path_factory.mktemp("bad_day"), FOUR_NODES, WORLDS / "bad_day.yaml")


def _subscribed(stack: ExitStack, folder: Path, *worlds: Path) -> Subscribed:
    ready = open_world(read_world(*worlds), ServeSettings(guests="none", folder=folder), stack)
    azure = ready["azure"]
    return Subscribed(
        Path(ready["ca_file"]),
        azure["subscription_id"],
        azure["tenant_id"],
        azure["client_id"],
        SecretStr(azure["client_secret"]),
        azure["url"],
        azure["url"],
    )


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subscribed]:
    with ExitStack() as stack:
        yield _subscribed(stack, tmp_path_factory.mktemp("cloud"), AZURE)


@pytest.fixture(scope="session")
def bad_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subscribed]:
    with ExitStack() as stack:
        yield _subscribed(stack, tmp_path_factory.mktemp("bad_cloud"), AZURE, WORLDS / "bad_cloud.yaml")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def serve(authority: Authority) -> Iterator[Callable[[Service], Connected]]:
    """Serves a scripted cluster: for answers that no Proxmox VE gives, but that somebody in its place might."""
    with ExitStack() as stack:

        def start(service: Service) -> Connected:
            server = Server(service, authority.server_tls("scripted")).start()
            stack.callback(server.stop)
            return Connected(f"https://127.0.0.1:{server.port}", SecretStr("scan@pve!scan=secret"), authority.ca_file)

        yield start


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus with an empty past and its remote-write receiver open."""
    with prometheus_at(tmp_path_factory.mktemp("prometheus"), {"global": {"scrape_interval": "1m"}}) as url:
        yield url


@contextmanager
def prometheus_at(folder: Path, configuration: Mapping[str, Any]) -> Iterator[str]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("there is no prometheus on PATH (Debian package prometheus)")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(dict(configuration)))
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--storage.tsdb.retention.time=30d",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen([program, *arguments], stdout=log, stderr=log) as process:
        try:
            for _ in range(LOOKS_MAX):
                try:
                    if requests.get(f"{url}/-/ready", timeout=1).ok:
                        break
                except requests.ConnectionError:
                    pass
                time.sleep(0.1)
            else:
                raise AssertionError((folder / "log").read_text())
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
