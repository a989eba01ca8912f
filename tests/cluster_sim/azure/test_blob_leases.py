"""Blob storage and its leases: the states as a table, and Microsoft's own client against the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from cluster_sim.azure import leases
from cluster_sim.azure.leases import Lease, LeaseProblem
from cluster_sim.serve import Settings, open_world
from cluster_sim.world import read_world

OURS, OTHERS = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
ACCOUNT = "https://stnorthwindstate.blob.core.windows.net"
NOW = 1_000.0

AVAILABLE = Lease()
LEASED = Lease(OURS, 30, NOW + 20)
ENDLESS = Lease(OURS)
EXPIRED = Lease(OURS, 30, NOW - 1)
BREAKING = Lease(OURS, 30, NOW + 20, breaks_at_s=NOW + 10)
BROKEN = Lease(OURS, 30, NOW + 20, breaks_at_s=NOW)

Attempt = Callable[[Lease], Lease]
ACQUIRE: Attempt = lambda lease: leases.acquire(lease, NOW, 15, OURS)  # noqa: E731
ACQUIRE_OTHER: Attempt = lambda lease: leases.acquire(lease, NOW, -1, OTHERS)  # noqa: E731
RENEW: Attempt = lambda lease: leases.renew(lease, NOW, OURS)  # noqa: E731
RELEASE: Attempt = lambda lease: leases.release(lease, OURS)  # noqa: E731
BREAK: Attempt = lambda lease: leases.break_(lease, NOW, None)  # noqa: E731
BREAK_SOON: Attempt = lambda lease: leases.break_(lease, NOW, 5)  # noqa: E731
CHANGE: Attempt = lambda lease: leases.change(lease, NOW, OURS, OTHERS)  # noqa: E731
WRITE: Attempt = lambda lease: leases.may_write(lease, NOW, "")  # noqa: E731
WRITE_OURS: Attempt = lambda lease: leases.may_write(lease, NOW, OURS)  # noqa: E731
WRITE_OTHER: Attempt = lambda lease: leases.may_write(lease, NOW, OTHERS)  # noqa: E731


@pytest.mark.parametrize(
    ("lease", "attempt", "outcome"),
    [
        (AVAILABLE, ACQUIRE, "leased"),
        (LEASED, ACQUIRE, "leased"),
        (LEASED, ACQUIRE_OTHER, 409),
        (BREAKING, ACQUIRE, 409),
        (BROKEN, ACQUIRE_OTHER, "leased"),
        (EXPIRED, ACQUIRE_OTHER, "leased"),
        (AVAILABLE, RENEW, 409),
        (LEASED, RENEW, "leased"),
        (ENDLESS, RENEW, "leased"),
        (EXPIRED, RENEW, "leased"),
        (BREAKING, RENEW, 409),
        (BROKEN, RENEW, 409),
        (AVAILABLE, RELEASE, 409),
        (LEASED, RELEASE, "available"),
        (BREAKING, RELEASE, "available"),
        (BROKEN, RELEASE, "available"),
        (EXPIRED, RELEASE, "available"),
        (AVAILABLE, BREAK, 409),
        (LEASED, BREAK, "breaking"),
        (ENDLESS, BREAK, "broken"),
        (ENDLESS, BREAK_SOON, "breaking"),
        (BROKEN, BREAK, "broken"),
        (EXPIRED, BREAK, "broken"),
        (LEASED, CHANGE, "leased"),
        (AVAILABLE, CHANGE, 409),
        (BREAKING, CHANGE, 409),
        (AVAILABLE, WRITE, "available"),
        (LEASED, WRITE, 412),
        (BREAKING, WRITE, 412),
        (EXPIRED, WRITE, "available"),
        (BROKEN, WRITE, "available"),
        (LEASED, WRITE_OURS, "leased"),
        (LEASED, WRITE_OTHER, 412),
        (AVAILABLE, WRITE_OURS, 412),
        (BROKEN, WRITE_OURS, 412),
        (EXPIRED, WRITE_OURS, 412),
    ],
)
def test_what_becomes_of_a_lease(lease: Lease, attempt: Attempt, outcome: str | int) -> None:
    try:
        found: str | int = attempt(lease).state(NOW)
    except LeaseProblem as problem:
        found = problem.status
    assert found == outcome


def test_a_broken_lease_ends_no_later_than_it_would_have() -> None:
    assert leases.break_(LEASED, NOW, 60).breaks_at_s == LEASED.ends_at_s
    assert leases.break_(BREAKING, NOW, 60).breaks_at_s == BREAKING.breaks_at_s
    assert leases.break_(ENDLESS, NOW, 60).breaks_at_s == NOW + 60


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    world = Path(__file__).parents[3] / "cluster_sim" / "worlds" / "azure_two_subscriptions.yaml"
    with ExitStack() as stack:
        yield open_world(read_world(world), Settings(guests="none", folder=tmp_path_factory.mktemp("blobs")), stack)


def _client(ready: dict[str, Any]) -> Any:
    """Microsoft's client, told of the proxy and the CA as it would be at any site."""
    pytest.importorskip("azure.storage.blob", reason="azure-storage-blob is not in this environment: make test puts it there")
    from azure.identity import ClientSecretCredential
    from azure.storage.blob import BlobServiceClient

    azure = ready["azure"]
    login = ClientSecretCredential(
        azure["tenant_id"],
        azure["client_id"],
        azure["client_secret"],
        authority=azure["url"],
        disable_instance_discovery=True,
        connection_verify=ready["ca_file"],
    )
    return BlobServiceClient(ACCOUNT, login, proxies={"https": azure["proxy"]}, connection_verify=ready["ca_file"], retry_total=0)


def test_microsofts_client_writes_reads_lists_and_leases(ready: dict[str, Any]) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

    container = _client(ready).get_container_client("tfstate")
    blob = container.get_blob_client("team/a.tfstate")
    with pytest.raises(ResourceNotFoundError):
        blob.get_blob_properties()
    blob.upload_blob(b'{"serial": 1}', metadata={"made": "here"})
    with pytest.raises(ResourceExistsError):
        blob.upload_blob(b"again")
    assert blob.download_blob().readall() == b'{"serial": 1}'
    assert [one.name for one in container.list_blobs(name_starts_with="team/")] == ["team/a.tfstate"]
    seen = blob.get_blob_properties()
    assert (seen.size, seen.metadata, seen.lease.state) == (13, {"made": "here"}, "available")

    held = blob.acquire_lease(lease_duration=-1)
    assert blob.get_blob_properties().lease.status == "locked"
    refused = {}
    for name, attempt in {
        "acquire": lambda: blob.acquire_lease(lease_duration=15),
        "write": lambda: blob.upload_blob(b"{}", overwrite=True),
        "remove": lambda: blob.delete_blob(),
        "write as another": lambda: blob.upload_blob(b"{}", overwrite=True, lease=OTHERS),
    }.items():
        with pytest.raises(HttpResponseError) as told:
            attempt()
        refused[name] = (told.value.status_code, told.value.error_code)
    assert refused == {
        "acquire": (409, "LeaseAlreadyPresent"),
        "write": (412, "LeaseIdMissing"),
        "remove": (412, "LeaseIdMissing"),
        "write as another": (412, "LeaseIdMismatchWithBlobOperation"),
    }
    blob.set_blob_metadata({"terraformlockid": "x"}, lease=held)
    assert blob.upload_blob(b"{}", overwrite=True, lease=held)["etag"] != seen.etag
    assert held.break_lease() == 0
    with pytest.raises(HttpResponseError) as lost:
        blob.upload_blob(b"late", overwrite=True, lease=held)
    assert (lost.value.status_code, lost.value.error_code) == (412, "LeaseNotPresentWithBlobOperation")
    assert blob.download_blob().readall() == b"{}"
    blob.delete_blob()
    assert not list(container.list_blobs(name_starts_with="team/"))


def test_a_role_on_the_data_is_asked_for_and_an_owner_is_not_enough(ready: dict[str, Any]) -> None:
    from azure.core.exceptions import HttpResponseError

    service = _client(ready)
    with pytest.raises(HttpResponseError) as told:
        service.create_container("another")  # The role is on one container, not on the account.
    assert (told.value.status_code, told.value.error_code) == (403, "AuthorizationPermissionMismatch")
    with pytest.raises(HttpResponseError) as told:
        service.get_container_client("another").get_blob_client("a").get_blob_properties()
    assert told.value.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "NoAuthenticationInformation"),
        ({"Authorization": "SharedKey stnorthwindstate:c2lnbmF0dXJl"}, 403, "KeyBasedAuthenticationNotPermitted"),
        ({"Authorization": "Bearer a.b.c", "x-ms-version": "2023-11-03"}, 401, "InvalidAuthenticationInfo"),
    ],
)
def test_who_nobody_knows_is_refused(ready: dict[str, Any], headers: dict[str, str], status: int, code: str) -> None:
    answer = requests.get(
        f"{ACCOUNT}/tfstate/a", headers=headers, proxies={"https": ready["azure"]["proxy"]}, verify=ready["ca_file"], timeout=20
    )
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (status, code)


@pytest.mark.parametrize("host", ["stnobody.blob.core.windows.net", "stnorthwindstate.dfs.core.windows.net", "example.org"])
def test_the_proxy_leads_to_what_is_simulated_and_nowhere_else(ready: dict[str, Any], host: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="502"):
        requests.get(f"https://{host}/", proxies={"https": ready["azure"]["proxy"]}, verify=ready["ca_file"], timeout=20)
