"""One mirror folder and one certificate authority for all tests of the stand-in providers, and a way to run real Terraform."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.authority import Authority, make_authority
from cluster_sim.http import Server
from cluster_sim.mirror import lay_out
from tests.cluster_sim.mirror import workspaces
from tests.cluster_sim.mirror.small_cluster import Cluster
from tests.cluster_sim.mirror.small_subscription import SUBSCRIPTION, TENANT, Subscription

RECORDED = Path(__file__).parent
TOKEN = "ops@pve!berth=11111111-2222-3333-4444-555555555555"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("mirror"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@dataclass
class Folder:
    """A run folder, and Terraform in it with nothing in its environment but what the product would set."""

    path: Path
    environment: dict[str, str]
    outputs: list[str] = field(default_factory=list)

    def terraform(self, *arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=self.path,
            env={"PATH": os.environ["PATH"]} | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        self.outputs.append(done.stdout)
        assert done.returncode == expect, done.stdout
        return done.stdout

    def json(self, *arguments: str) -> Any:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.path,
            env={"PATH": os.environ["PATH"]} | self.environment,
            capture_output=True,
            check=True,
            timeout=60,
        )
        return json.loads(done.stdout)


@pytest.fixture
def make_folder(tmp_path: Path, mirror: Path, authority: Authority) -> Callable[..., Folder]:
    if not shutil.which("terraform"):
        pytest.skip("terraform is not on PATH, and these tests drive it.")

    def make(main: str, **environment: str) -> Folder:
        path = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        path.mkdir()
        (path / "main.tf").write_text(main)
        (path / "cli.tfrc").write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
        (path / "home").mkdir()
        fixed = {
            "HOME": str(path / "home"),
            "TF_CLI_CONFIG_FILE": str(path / "cli.tfrc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "SSL_CERT_FILE": str(authority.ca_file),
        }
        return Folder(path, fixed | environment)

    return make


@dataclass
class Served:
    """A small cluster at its address."""

    cluster: Cluster
    url: str

    @property
    def settings(self) -> dict[str, str]:
        return {"PROXMOX_VE_ENDPOINT": self.url, "PROXMOX_VE_API_TOKEN": TOKEN}


@pytest.fixture(scope="session")
def _served(authority: Authority) -> Iterator[Served]:
    served = Served(Cluster(), "")
    server = Server(lambda request: served.cluster(request), authority.server_tls("small-cluster")).start()
    served.url = f"https://127.0.0.1:{server.port}/"
    yield served
    server.stop()


@pytest.fixture
def served(_served: Served) -> Served:
    """One server for the session, a new cluster in it for each test."""
    _served.cluster = Cluster()
    return _served


@dataclass
class ServedSubscription:
    """A small subscription at its address."""

    subscription: Subscription
    url: str

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ARM_TENANT_ID": TENANT,
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_CLIENT_ID": "00000000-0000-0000-0000-00000000000c",
            "ARM_CLIENT_SECRET": "secret",
        }

    def provider(self, more: str) -> str:
        return (workspaces.REQUIRED + more).replace("URL", self.url)


@pytest.fixture(scope="session")
def _subscription(authority: Authority) -> Iterator[ServedSubscription]:
    served = ServedSubscription(Subscription(), "")
    server = Server(lambda request: served.subscription(request), authority.server_tls("small-subscription")).start()
    served.url = f"https://localhost:{server.port}"
    yield served
    server.stop()


@pytest.fixture
def azure(_subscription: ServedSubscription) -> ServedSubscription:
    """One server for the session, a new subscription in it for each test."""
    _subscription.subscription = Subscription()
    return _subscription
