"""One mirror folder, one certificate authority and one server of each kind for all tests of the stand-in providers."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster_sim.authority import Authority, make_authority
from cluster_sim.http import Server
from cluster_sim.mirror import lay_out
from cluster_sim.mirror.azapi import Azapi
from cluster_sim.mirror.proxmox import Proxmox
from tests.cluster_sim.mirror.harness import TOKEN, Folder, ServedCluster, ServedSubscription
from tests.cluster_sim.mirror.short_terraform import ShortTerraform
from tests.cluster_sim.mirror.small_cluster import Cluster
from tests.cluster_sim.mirror.small_subscription import Subscription


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("mirror"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make_folder(tmp_path: Path, mirror: Path, authority: Authority) -> Callable[..., Folder]:
    def make(main: str, **settings: str) -> Folder:
        path = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        (path / "home").mkdir(parents=True)
        fixed = {
            "HOME": str(path / "home"),
            "TF_CLI_CONFIG_FILE": str(path / "cli.tfrc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "SSL_CERT_FILE": str(authority.ca_file),
        }
        folder = Folder(path, fixed | settings)
        folder.write(main)
        folder.use_mirror(mirror)
        return folder

    return make


@pytest.fixture(scope="session")
def _cluster(authority: Authority) -> Iterator[ServedCluster]:
    served = ServedCluster(Cluster(), "")
    server = Server(lambda request: served.cluster(request), authority.server_tls("small-cluster")).start()
    served.url = f"https://127.0.0.1:{server.port}/"
    yield served
    server.stop()


@pytest.fixture
def served(_cluster: ServedCluster) -> ServedCluster:
    """One server for the session, a new cluster in it for each test."""
    _cluster.cluster = Cluster()
    return _cluster


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


@pytest.fixture
def proxmox(served: ServedCluster, authority: Authority) -> ShortTerraform:
    """The stand-in for bpg/proxmox in this process, at the small cluster."""
    provider = Proxmox(lambda: ssl.create_default_context(cafile=authority.ca_file))
    return ShortTerraform(provider, {"endpoint": served.url, "api_token": TOKEN})


@pytest.fixture
def azapi(azure: ServedSubscription, authority: Authority) -> ShortTerraform:
    """The stand-in for Azure/azapi in this process, at the small subscription."""
    provider = Azapi(lambda: ssl.create_default_context(cafile=authority.ca_file))
    return ShortTerraform(provider, azure.configuration)
