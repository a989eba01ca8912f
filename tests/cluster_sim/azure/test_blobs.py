"""Blob storage at the wire: what is paged, what is refused, and a container that is going. Leases are tested beside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from azure_site import Direct, direct

from cluster_sim.http import Answer, Request

ACCOUNT = "{sub}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stblobs"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/raw"
CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
MD5_OF_X = base64.b64encode(hashlib.md5(b"x", usedforsecurity=False).digest()).decode()
MD5_OF_Y = base64.b64encode(hashlib.md5(b"y", usedforsecurity=False).digest()).decode()


class Blobs:
    def __init__(self, azure: Direct) -> None:
        self.azure = azure
        azure.make("{sub}/resourceGroups/rg", location="eastus")
        azure.make(ACCOUNT, location="eastus", sku={"name": "Standard_LRS"}, kind="StorageV2")
        azure.make(CONTAINER, properties={})
        azure.make(
            f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000001",
            properties={
                "roleDefinitionId": f"{{sub}}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}",
                "principalId": azure.part.cloud.world.tenant.object_id,
            },
        )
        self.token = json.loads(azure.log_in("https://storage.azure.com/.default").body)["access_token"]

    def ask(self, method: str, path: str, body: bytes = b"", version: str = "2023-11-03", **headers: str) -> Answer:
        path, _, query = path.partition("?")
        pairs = tuple((name, value) for name, _, value in (one.partition("=") for one in query.split("&") if one))
        known = {"Authorization": f"Bearer {self.token}", "x-ms-version": version} | {k.replace("_", "-"): v for k, v in headers.items()}
        known = {name: value for name, value in known.items() if value}
        return self.azure.part.services["blob"](Request(method, path, pairs, known, body, "stblobs.blob.core.windows.net"))

    def put(self, name: str, body: bytes = b"x", **headers: str) -> Answer:
        return self.ask("PUT", f"/raw/{name}", body, x_ms_blob_type="BlockBlob", **headers)


@pytest.fixture
def blobs() -> Blobs:
    return Blobs(direct())


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.headers.get("x-ms-error-code", "")


@pytest.mark.parametrize(
    ("query", "pages"),
    [
        ("maxresults=1", [["a/1"], ["a/2"], ["b"], ["c/1"]]),
        ("maxresults=3", [["a/1", "a/2", "b"], ["c/1"]]),
        ("maxresults=1&delimiter=/", [["a/"], ["b"], ["c/"]]),
        ("maxresults=2&delimiter=/", [["a/", "b"], ["c/"]]),
        ("maxresults=2&delimiter=/&prefix=a/", [["a/1", "a/2"]]),
        ("maxresults=9999", [["a/1", "a/2", "b", "c/1"]]),
    ],
)
def test_a_listing_is_paged_to_its_end(blobs: Blobs, query: str, pages: list[list[str]]) -> None:
    for name in ("b", "a/2", "c/1", "a/1"):
        assert blobs.put(name).status == 201
    marker, seen = "", []
    for _ in range(len(pages) + 1):
        text = blobs.ask("GET", f"/raw?restype=container&comp=list&{query}&marker={marker}").body.decode()
        seen.append(re.findall(r"<Name>(.+?)</Name>", text))
        marker = "".join(re.findall(r"<NextMarker>(.*?)</NextMarker>", text))
        if not marker:
            break
    assert seen == pages


@pytest.mark.parametrize("most", ["0", "-1", "many", "1.5"])
@pytest.mark.parametrize("path", ["/raw?restype=container&comp=list", "/?comp=list"])
def test_a_page_of_nothing_is_refused(blobs: Blobs, path: str, most: str) -> None:
    number = most.lstrip("-").isdigit()
    told = code(blobs.ask("GET", f"{path}&maxresults={most}"))
    assert told == (400, "OutOfRangeQueryParameterValue" if number else "InvalidQueryParameterValue")


def test_what_arrives_is_what_was_sent(blobs: Blobs) -> None:
    cases: dict[tuple[str, str], Any] = {
        ("Content_MD5", MD5_OF_X): (201, ""),
        ("Content_MD5", MD5_OF_Y): (400, "Md5Mismatch"),
        ("x_ms_blob_content_md5", MD5_OF_Y): (400, "Md5Mismatch"),
        ("Content_MD5", "x"): (400, "InvalidMd5"),
    }
    assert {(name, said): code(blobs.put("a", **{name: said})) for name, said in cases} == cases


@pytest.mark.parametrize(
    ("version", "told"),
    [("", (400, "MissingRequiredHeader")), ("2015-04-05", (400, "InvalidHeaderValue")), ("latest", (400, "InvalidHeaderValue"))],
)
def test_a_token_comes_with_a_version_that_knows_tokens(blobs: Blobs, version: str, told: tuple[int, str]) -> None:
    assert code(blobs.ask("GET", "/raw?restype=container&comp=list", version=version)) == told


def test_the_name_of_a_container_is_free_only_some_time_after_it_went(blobs: Blobs) -> None:
    blobs.put("a")
    assert blobs.ask("DELETE", "/raw?restype=container").status == 202
    assert code(blobs.ask("GET", "/raw/a")) == (404, "ContainerNotFound")
    assert code(blobs.ask("PUT", "/raw?restype=container")) == (409, "ContainerBeingDeleted")
    assert blobs.azure.json("PUT", CONTAINER, {"properties": {}})["error"]["code"] == "ContainerBeingDeleted"
    blobs.azure.clock.advance(30)
    assert blobs.ask("PUT", "/raw?restype=container").status == 201
    assert code(blobs.ask("GET", "/raw/a")) == (404, "BlobNotFound")


def test_an_account_that_is_made_anew_has_no_container_that_is_going(blobs: Blobs) -> None:
    for gone in (CONTAINER, ACCOUNT):
        blobs.azure.ask("DELETE", gone)
    blobs.azure.clock.advance(1)
    blobs.azure.make(ACCOUNT, location="eastus", sku={"name": "Standard_LRS"}, kind="StorageV2")
    blobs.azure.make(CONTAINER, properties={})
