"""Blob storage as its own clients call it: containers, block blobs in one piece, metadata and leases, at `ACCOUNT.blob.core.windows.net`.

Who may is asked of role assignments, as Entra ID's tokens are: an Owner who has no data role is refused. Account keys, signatures,
blocks, snapshots, tiers and tags are not simulated. Microsoft Learn, Azure Storage REST API, "Blob service"; read 2026-11-30.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from email.utils import formatdate
from typing import Any
from xml.sax.saxutils import escape

from cluster_sim.azure import changes, leases, login
from cluster_sim.azure.blob_answers import META, WORDS, Refusal, etag, lease_of, marks, not_simulated, properties, refuse, row, xml
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families.authorization import holds_role
from cluster_sim.azure.leases import Lease, LeaseProblem
from cluster_sim.azure.store import Resource
from cluster_sim.http import Answer, Request

SUFFIX = ".blob.core.windows.net"
SCOPE = "https://storage.azure.com"
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_READERS = ("Storage Blob Data Reader", "Storage Blob Data Contributor", "Storage Blob Data Owner")
_WRITERS = _READERS[1:]
PAGE_MAX = 5000
VERSION_MIN = "2017-11-09"

_TIMED = ("If-Modified-Since", "If-Unmodified-Since")


@dataclass(frozen=True)
class _Call:
    """One request, with what it is about found."""

    request: Request
    query: Mapping[str, str]
    account: Resource
    container: str
    blob: str
    now: float

    def header(self, name: str) -> str:
        return str(self.request.headers.get(name, ""))

    @property
    def lease(self) -> str:
        return self.header("x-ms-lease-id")

    @property
    def what(self) -> tuple[str, str, str]:
        """(method, restype, comp), by which the operation is found."""
        return self.request.method, self.query.get("restype", ""), self.query.get("comp", "")


class Blobs:
    """A `Service`: call it with a request."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def resolves(self, host: str) -> bool:
        """Whether there is such a name: an account has one as long as it exists."""
        name, found, rest = host.lower().partition(SUFFIX)
        return bool(found) and not rest and self._account(name) is not None

    def __call__(self, request: Request) -> Answer:
        self.cloud.requests.append(f"{request.method} https://{request.host}{request.path}")
        self.cloud.settle()
        strikes = self.cloud.faults.of(request.method, f"https://{request.host}{request.path}")
        try:
            for fault in strikes:
                if fault.status:
                    raise Refusal(fault.status, fault.code, text=fault.message)
            answer = self._answer(request)
        except LeaseProblem as problem:
            answer = refuse(Refusal(problem.status, problem.code), len(self.cloud.requests))
        except Refusal as refusal:
            answer = refuse(refusal, len(self.cloud.requests))
        if request.method not in ("GET", "HEAD"):
            self.cloud.save()
        common = {"x-ms-request-id": f"{len(self.cloud.requests):032x}", "x-ms-version": request.headers.get("x-ms-version", "")}
        delay_s = max((fault.delay_s for fault in strikes), default=0.0)
        return Answer(answer.status, answer.body, {**common, **answer.headers}, delay_s=delay_s)

    def _account(self, name: str) -> Resource | None:
        of_type = self.cloud.store.of_type("Microsoft.Storage/storageAccounts")
        return next((one for one in of_type if one.name.lower() == name), None)

    def _answer(self, request: Request) -> Answer:
        account = self._account(request.host.lower().partition(SUFFIX)[0])
        if account is None:
            raise Refusal(404, "ResourceNotFound")
        _, container, blob = (*request.path.split("/", 2), "", "")[:3]
        call = _Call(request, dict(request.query), account, container, blob, self.cloud.now)
        operation, writes = self._operation(call)
        self._authorise(call, writes)
        for name in _TIMED:
            if call.header(name):
                raise not_simulated(f"the header {name}")
        return operation(call)

    def _operation(self, call: _Call) -> tuple[Callable[[_Call], Answer], bool]:
        of = _OF_BLOBS if call.blob else _OF_CONTAINERS if call.container else _OF_ACCOUNTS
        found = of.get(call.what)
        if found is None:
            raise not_simulated(f"{call.request.method} {call.request.path} with {dict(call.query)}")
        name, writes = found
        return getattr(self, name), writes

    def _authorise(self, call: _Call, writes: bool) -> None:
        properties = call.account.properties
        challenge = {
            "WWW-Authenticate": f"Bearer authorization_uri={self.cloud.urls.get('arm', '')}/{self.cloud.world.tenant.id}/oauth2/authorize "
            f"resource_id={SCOPE}"
        }
        kind, _, token = call.header("Authorization").partition(" ")
        if not kind:
            raise Refusal(401, "NoAuthenticationInformation", headers=challenge)
        if kind.lower() != "bearer":
            if properties.get("allowSharedKeyAccess") is False:
                raise Refusal(403, "KeyBasedAuthenticationNotPermitted")
            raise not_simulated("an account's key")
        _assert_version(call.header("x-ms-version"))
        try:
            claims = login.claims_of(token, self.cloud.world.tenant, call.now)
        except login.BadToken:
            raise Refusal(401, "InvalidAuthenticationInfo", headers=challenge) from None
        if str(claims["aud"]).rstrip("/") not in (SCOPE, f"https://{call.account.name}{SUFFIX}"):
            raise Refusal(401, "InvalidAuthenticationInfo", headers=challenge)
        rules = properties.get("networkAcls") or {}
        if properties.get("publicNetworkAccess") == "Disabled" or rules.get("defaultAction") == "Deny":
            raise Refusal(403, "AuthorizationFailure")
        scope = f"{self._container_id(call)}" if call.container else call.account.id
        if not any(holds_role(self.cloud, str(claims["oid"]), role, scope) for role in (_WRITERS if writes else _READERS)):
            raise Refusal(403, "AuthorizationPermissionMismatch")

    # Containers.

    def _container_id(self, call: _Call) -> str:
        return f"{call.account.id}/blobServices/default/containers/{call.container}"

    def _container(self, call: _Call) -> Resource:
        found = self.cloud.find(self._container_id(call))
        if found is None:
            raise Refusal(404, "ContainerNotFound")
        return found

    def list_containers(self, call: _Call) -> Answer:
        found = self.cloud.store.of_type(_CONTAINERS, call.account.id)
        names = {one.name: one.name for one in found if one.name.startswith(call.query.get("prefix", ""))}
        shown, following = _page(call, names)
        rows = "".join(f"<Container><Name>{name}</Name><Properties/></Container>" for name in shown)
        return xml(f'<EnumerationResults ServiceEndpoint="https://{call.request.host}/"><Containers>{rows}</Containers>{following}')

    def show_container(self, call: _Call) -> Answer:
        found = self._container(call)
        return Answer(200, b"", {"ETag": etag(found.key, found.changed_at_s), "Last-Modified": formatdate(found.changed_at_s, usegmt=True)})

    def make_container(self, call: _Call) -> Answer:
        if self.cloud.find(self._container_id(call)) is not None:
            raise Refusal(409, "ContainerAlreadyExists")
        address = self.cloud.address(self._container_id(call))
        kind = self.cloud.kind(_CONTAINERS)
        assert address is not None
        assert kind is not None
        caller = login.Caller(self.cloud.world.tenant.client_id, self.cloud.world.tenant.object_id)
        try:
            made = changes.put(self.cloud, address, kind, {"properties": {}}, caller).resource
        except ArmError as refusal:
            known = refusal.code in WORDS
            raise Refusal(
                refusal.status if known else 400, refusal.code if known else "InvalidResourceName", text=refusal.message
            ) from None
        return Answer(201, b"", {"ETag": etag(made.key, made.changed_at_s), "Last-Modified": formatdate(made.changed_at_s, usegmt=True)})

    def remove_container(self, call: _Call) -> Answer:
        found = self._container(call)
        self.cloud.remove(found)
        return Answer(202)

    def list_blobs(self, call: _Call) -> Answer:
        blobs, prefix, delimiter = self._blobs(call), call.query.get("prefix", ""), call.query.get("delimiter", "")
        rows: dict[str, str] = {}
        for name in sorted(blobs):
            if not name.startswith(prefix):
                continue
            before, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            if cut:
                rows[f"{prefix}{before}{cut}"] = f"<BlobPrefix><Name>{escape(prefix + before + cut)}</Name></BlobPrefix>"
            else:
                rows[name] = row(name, blobs[name], call.now, "metadata" in call.query.get("include", ""))
        shown, following = _page(call, rows)
        return xml(
            f'<EnumerationResults ServiceEndpoint="https://{call.request.host}/" ContainerName="{escape(call.container)}">'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{''.join(shown)}</Blobs>{following}"
        )

    # Blobs. They stand as plain values, so that the world can be kept in a file.

    def _blobs(self, call: _Call) -> dict[str, Any]:
        inside = self.cloud.store.content.setdefault(self._container(call).key, {"blobs": {}})
        found: dict[str, Any] = inside["blobs"]
        return found

    def _blob(self, call: _Call) -> dict[str, Any]:
        found = self._blobs(call).get(call.blob)
        if found is None:
            raise Refusal(404, "BlobNotFound")
        return dict(found)

    def _write(self, call: _Call, blob: Mapping[str, Any], lease: Lease, *, touched: bool = True) -> dict[str, Any]:
        stored = {**blob, "lease": asdict(lease)}
        if touched:
            stored |= {"changed_at_s": call.now, "etag": etag(call.blob, call.now, str(self.cloud.store.next_generation()))}
        self._blobs(call)[call.blob] = stored
        return stored

    def put(self, call: _Call) -> Answer:
        if call.header("x-ms-blob-type") != "BlockBlob":
            raise not_simulated(f"a blob of type {call.header('x-ms-blob-type') or 'none'}")
        before = self._blobs(call).get(call.blob)
        if before and call.header("If-None-Match") == "*":
            raise Refusal(409, "BlobAlreadyExists")
        _meet(call, before)
        lease = leases.may_write(lease_of(before), call.now, call.lease)
        content = call.request.body
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        _assert_md5(call, md5)
        fresh = {
            "content": base64.b64encode(content).decode(),
            "type": call.header("x-ms-blob-content-type") or call.header("Content-Type") or "application/octet-stream",
            "metadata": _metadata(call.request.headers),
            "made_at_s": call.now,
        }
        stored = self._write(call, fresh, lease)
        return Answer(201, b"", {**marks(stored), "Content-MD5": md5, "x-ms-request-server-encrypted": "true"})

    def get(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        leases.may_read(lease_of(blob), call.now, call.lease)
        content = base64.b64decode(blob["content"])
        headers = {**properties(blob, call.now), "Accept-Ranges": "bytes"}
        asked = call.header("x-ms-range") or call.header("Range")
        if asked and call.request.method == "GET":
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
            if not found or int(found[1]) >= len(content):
                raise Refusal(416, "InvalidRange", headers={"Content-Range": f"bytes */{len(content)}"})
            first, last = int(found[1]), min(int(found[2] or len(content)), len(content) - 1)
            return Answer(206, content[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(content)}"})
        return Answer(200, content, headers)

    def remove(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        leases.may_write(lease_of(blob), call.now, call.lease)
        del self._blobs(call)[call.blob]
        return Answer(202, b"", {"x-ms-delete-type-permanent": "true"})

    def set_metadata(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        lease = leases.may_write(lease_of(blob), call.now, call.lease)
        return Answer(200, b"", marks(self._write(call, {**blob, "metadata": _metadata(call.request.headers)}, lease)))

    def lease(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        before, now, given, proposed = lease_of(blob), call.now, call.lease, call.header("x-ms-proposed-lease-id")
        period = call.header("x-ms-lease-break-period")
        headers: dict[str, str] = {}
        match call.header("x-ms-lease-action").lower():
            case "acquire":
                after, status = leases.acquire(before, now, _whole(call.header("x-ms-lease-duration")), proposed), 201
            case "renew":
                after, status = leases.renew(before, now, given), 200
            case "change":
                after, status = leases.change(before, now, given, proposed), 200
            case "release":
                after, status = leases.release(before, given), 200
            case "break":
                after, status = leases.break_(before, now, _whole(period) if period else None), 202
                headers["x-ms-lease-time"] = str(max(0, round((after.breaks_at_s or now) - now)))
            case _:
                raise Refusal(400, "InvalidHeaderValue")
        if status in (200, 201) and after.id:
            headers["x-ms-lease-id"] = after.id
        return Answer(status, b"", {**marks(self._write(call, blob, after, touched=False)), **headers})


_OF_ACCOUNTS = {("GET", "", "list"): ("list_containers", False)}
_OF_CONTAINERS = {
    ("GET", "container", "list"): ("list_blobs", False),
    ("GET", "container", ""): ("show_container", False),
    ("HEAD", "container", ""): ("show_container", False),
    ("PUT", "container", ""): ("make_container", True),
    ("DELETE", "container", ""): ("remove_container", True),
}
_OF_BLOBS = {
    ("GET", "", ""): ("get", False),
    ("HEAD", "", ""): ("get", False),
    ("PUT", "", ""): ("put", True),
    ("DELETE", "", ""): ("remove", True),
    ("PUT", "", "metadata"): ("set_metadata", True),
    ("PUT", "", "lease"): ("lease", True),
}


def _meet(call: _Call, blob: Mapping[str, Any] | None) -> None:
    """The conditions by ETag that a caller set."""
    match, other, etag = call.header("If-Match"), call.header("If-None-Match"), blob["etag"] if blob else ""
    if match and (not blob or match not in ("*", etag)):
        raise Refusal(412, "ConditionNotMet")
    if blob and other and other in ("*", etag):
        raise Refusal(304 if call.request.method in ("GET", "HEAD") else 412, "ConditionNotMet")


def _assert_version(said: str) -> None:
    """A token of Entra ID is taken from 2017-11-09 on ("Authorize with Microsoft Entra ID"); a version is a date."""
    if not said:
        raise Refusal(400, "MissingRequiredHeader")
    if not re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", said) or said < VERSION_MIN:
        raise Refusal(400, "InvalidHeaderValue")


def _assert_md5(call: _Call, md5: str) -> None:
    """What arrived is what was sent ("Put Blob": of the body, and for a block blob of what is kept)."""
    for name in ("Content-MD5", "x-ms-blob-content-md5"):
        said = call.header(name)
        if said and not re.fullmatch(r"[A-Za-z0-9+/]{22}==", said):
            raise Refusal(400, "InvalidMd5")
        if said and said != md5:
            raise Refusal(400, "Md5Mismatch")


def _page(call: _Call, rows: Mapping[str, str]) -> tuple[list[str], str]:
    """(the rows behind the marker, as many as are wanted; the next marker as XML). A marker is the name of the row before it, be that a
    blob or a prefix, so a prefix is told once."""
    said = call.query.get("maxresults") or str(PAGE_MAX)
    if not re.fullmatch(r"-?\d{1,9}", said):
        raise Refusal(400, "InvalidQueryParameterValue")
    if int(said) < 1:
        raise Refusal(400, "OutOfRangeQueryParameterValue")
    left = [name for name in sorted(rows) if name > call.query.get("marker", "")]
    shown = left[: min(int(said), PAGE_MAX)]
    marker = shown[-1] if len(shown) < len(left) else ""
    return [rows[name] for name in shown], f"<NextMarker>{escape(marker)}</NextMarker>"


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    found = {name[len(META) :]: value for name, value in headers.items() if name.lower().startswith(META)}
    if not all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in found):
        raise Refusal(400, "InvalidMetadata")
    return found


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise Refusal(400, "InvalidHeaderValue")
    return int(text)
