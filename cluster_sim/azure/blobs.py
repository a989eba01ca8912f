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

_META = "x-ms-meta-"
_TIMED = ("If-Modified-Since", "If-Unmodified-Since")

_UNKNOWN = "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
_WORDS = {
    "AuthorizationFailure": "This request is not authorized to perform this operation.",
    "AuthorizationPermissionMismatch": "This request is not authorized to perform this operation using this permission.",
    "BlobAlreadyExists": "The specified blob already exists.",
    "BlobNotFound": "The specified blob does not exist.",
    "ConditionNotMet": "The condition specified using HTTP conditional header(s) is not met.",
    "ContainerAlreadyExists": "The specified container already exists.",
    "ContainerNotFound": "The specified container does not exist.",
    "InvalidAuthenticationInfo": _UNKNOWN,
    "InvalidHeaderValue": "The value for one of the HTTP headers is not in the correct format.",
    "InvalidMetadata": "The metadata specified is invalid. It has characters that are not permitted.",
    "InvalidRange": "The range specified is invalid for the current size of the resource.",
    "KeyBasedAuthenticationNotPermitted": "Key based authentication is not permitted on this storage account.",
    "LeaseAlreadyPresent": "There is already a lease present.",
    "LeaseIdMissing": "There is currently a lease on the blob and no lease ID was specified in the request.",
    "LeaseIdMismatchWithBlobOperation": "The lease ID specified did not match the lease ID for the blob.",
    "LeaseIdMismatchWithLeaseOperation": "The lease ID specified did not match the lease ID for the blob.",
    "LeaseIsBreakingAndCannotBeAcquired": "There is already a breaking lease, and can't be acquired.",
    "LeaseIsBreakingAndCannotBeChanged": "The lease ID matched, but the lease is currently in breaking state and cannot be changed.",
    "LeaseIsBrokenAndCannotBeRenewed": "The lease ID matched, but the lease has been broken explicitly and cannot be renewed.",
    "LeaseNotPresentWithBlobOperation": "There is currently no lease on the blob.",
    "LeaseNotPresentWithLeaseOperation": "There is currently no lease on the blob.",
    "MissingRequiredHeader": "An HTTP header that's mandatory for this request is not specified.",
    "NoAuthenticationInformation": _UNKNOWN,
    "ResourceNotFound": "The specified resource does not exist.",
}


class _Refusal(Exception):
    def __init__(self, status: int, code: str, *, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.text, self.headers = status, code, text or _WORDS[code], headers or {}


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
                    raise _Refusal(fault.status, fault.code, text=fault.message)
            answer = self._answer(request)
        except LeaseProblem as problem:
            answer = _refuse(_Refusal(problem.status, problem.code), len(self.cloud.requests))
        except _Refusal as refusal:
            answer = _refuse(refusal, len(self.cloud.requests))
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
            raise _Refusal(404, "ResourceNotFound")
        _, container, blob = (*request.path.split("/", 2), "", "")[:3]
        call = _Call(request, dict(request.query), account, container, blob, self.cloud.now)
        operation, writes = self._operation(call)
        self._authorise(call, writes)
        for name in _TIMED:
            if call.header(name):
                raise _not_simulated(f"the header {name}")
        return operation(call)

    def _operation(self, call: _Call) -> tuple[Callable[[_Call], Answer], bool]:
        of = _OF_BLOBS if call.blob else _OF_CONTAINERS if call.container else _OF_ACCOUNTS
        found = of.get(call.what)
        if found is None:
            raise _not_simulated(f"{call.request.method} {call.request.path} with {dict(call.query)}")
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
            raise _Refusal(401, "NoAuthenticationInformation", headers=challenge)
        if kind.lower() != "bearer":
            if properties.get("allowSharedKeyAccess") is False:
                raise _Refusal(403, "KeyBasedAuthenticationNotPermitted")
            raise _not_simulated("an account's key")
        if not call.header("x-ms-version"):
            raise _Refusal(400, "MissingRequiredHeader")
        try:
            claims = login.claims_of(token, self.cloud.world.tenant, call.now)
        except login.BadToken:
            raise _Refusal(401, "InvalidAuthenticationInfo", headers=challenge) from None
        if str(claims["aud"]).rstrip("/") not in (SCOPE, f"https://{call.account.name}{SUFFIX}"):
            raise _Refusal(401, "InvalidAuthenticationInfo", headers=challenge)
        rules = properties.get("networkAcls") or {}
        if properties.get("publicNetworkAccess") == "Disabled" or rules.get("defaultAction") == "Deny":
            raise _Refusal(403, "AuthorizationFailure")
        scope = f"{self._container_id(call)}" if call.container else call.account.id
        if not any(holds_role(self.cloud, str(claims["oid"]), role, scope) for role in (_WRITERS if writes else _READERS)):
            raise _Refusal(403, "AuthorizationPermissionMismatch")

    # Containers.

    def _container_id(self, call: _Call) -> str:
        return f"{call.account.id}/blobServices/default/containers/{call.container}"

    def _container(self, call: _Call) -> Resource:
        found = self.cloud.find(self._container_id(call))
        if found is None:
            raise _Refusal(404, "ContainerNotFound")
        return found

    def list_containers(self, call: _Call) -> Answer:
        found = self.cloud.store.of_type(_CONTAINERS, call.account.id)
        names = sorted(one.name for one in found if one.name.startswith(call.query.get("prefix", "")))
        rows = "".join(f"<Container><Name>{name}</Name><Properties/></Container>" for name in names)
        return _xml(f'<EnumerationResults ServiceEndpoint="https://{call.request.host}/"><Containers>{rows}</Containers><NextMarker/>')

    def show_container(self, call: _Call) -> Answer:
        found = self._container(call)
        return Answer(
            200, b"", {"ETag": _etag(found.key, found.changed_at_s), "Last-Modified": formatdate(found.changed_at_s, usegmt=True)}
        )

    def make_container(self, call: _Call) -> Answer:
        if self.cloud.find(self._container_id(call)) is not None:
            raise _Refusal(409, "ContainerAlreadyExists")
        address = self.cloud.address(self._container_id(call))
        kind = self.cloud.kind(_CONTAINERS)
        assert address is not None
        assert kind is not None
        caller = login.Caller(self.cloud.world.tenant.client_id, self.cloud.world.tenant.object_id)
        try:
            made = changes.put(self.cloud, address, kind, {"properties": {}}, caller).resource
        except ArmError as refusal:
            raise _Refusal(400, "InvalidResourceName", text=refusal.message) from None
        return Answer(201, b"", {"ETag": _etag(made.key, made.changed_at_s), "Last-Modified": formatdate(made.changed_at_s, usegmt=True)})

    def remove_container(self, call: _Call) -> Answer:
        found = self._container(call)
        self.cloud.remove(found)
        return Answer(202)

    def list_blobs(self, call: _Call) -> Answer:
        blobs, prefix, delimiter = self._blobs(call), call.query.get("prefix", ""), call.query.get("delimiter", "")
        most = min(int(call.query.get("maxresults") or PAGE_MAX), PAGE_MAX)
        rows: dict[str, str] = {}
        for name in sorted(blobs):
            if not name.startswith(prefix) or name <= call.query.get("marker", ""):
                continue
            before, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            if cut:
                rows[f"{prefix}{before}{cut}"] = f"<BlobPrefix><Name>{escape(prefix + before + cut)}</Name></BlobPrefix>"
            else:
                rows[name] = _row(name, blobs[name], call.now, "metadata" in call.query.get("include", ""))
        shown = list(rows)[:most]
        marker = shown[-1] if len(rows) > most else ""
        found = "".join(rows[name] for name in shown)
        return _xml(
            f'<EnumerationResults ServiceEndpoint="https://{call.request.host}/" ContainerName="{escape(call.container)}">'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{found}</Blobs><NextMarker>{escape(marker)}</NextMarker>"
        )

    # Blobs. They stand as plain values, so that the world can be kept in a file.

    def _blobs(self, call: _Call) -> dict[str, Any]:
        inside = self.cloud.store.workspace_content.setdefault(self._container(call).key, {"blobs": {}})
        found: dict[str, Any] = inside["blobs"]
        return found

    def _blob(self, call: _Call) -> dict[str, Any]:
        found = self._blobs(call).get(call.blob)
        if found is None:
            raise _Refusal(404, "BlobNotFound")
        return dict(found)

    def _write(self, call: _Call, blob: Mapping[str, Any], lease: Lease, *, touched: bool = True) -> dict[str, Any]:
        stored = {**blob, "lease": asdict(lease)}
        if touched:
            stored |= {"changed_at_s": call.now, "etag": _etag(call.blob, call.now, str(self.cloud.store.next_generation()))}
        self._blobs(call)[call.blob] = stored
        return stored

    def put(self, call: _Call) -> Answer:
        if call.header("x-ms-blob-type") != "BlockBlob":
            raise _not_simulated(f"a blob of type {call.header('x-ms-blob-type') or 'none'}")
        before = self._blobs(call).get(call.blob)
        if before and call.header("If-None-Match") == "*":
            raise _Refusal(409, "BlobAlreadyExists")
        _meet(call, before)
        lease = leases.may_write(_lease(before), call.now, call.lease)
        content = call.request.body
        fresh = {
            "content": base64.b64encode(content).decode(),
            "type": call.header("x-ms-blob-content-type") or call.header("Content-Type") or "application/octet-stream",
            "metadata": _metadata(call.request.headers),
            "made_at_s": call.now,
        }
        stored = self._write(call, fresh, lease)
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        return Answer(201, b"", {**_marks(stored), "Content-MD5": md5, "x-ms-request-server-encrypted": "true"})

    def get(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        leases.may_read(_lease(blob), call.now, call.lease)
        content = base64.b64decode(blob["content"])
        headers = {**_properties(blob, call.now), "Accept-Ranges": "bytes"}
        asked = call.header("x-ms-range") or call.header("Range")
        if asked and call.request.method == "GET":
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
            if not found or int(found[1]) >= len(content):
                raise _Refusal(416, "InvalidRange", headers={"Content-Range": f"bytes */{len(content)}"})
            first, last = int(found[1]), min(int(found[2] or len(content)), len(content) - 1)
            return Answer(206, content[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(content)}"})
        return Answer(200, content, headers)

    def remove(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        leases.may_write(_lease(blob), call.now, call.lease)
        del self._blobs(call)[call.blob]
        return Answer(202, b"", {"x-ms-delete-type-permanent": "true"})

    def set_metadata(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        lease = leases.may_write(_lease(blob), call.now, call.lease)
        return Answer(200, b"", _marks(self._write(call, {**blob, "metadata": _metadata(call.request.headers)}, lease)))

    def lease(self, call: _Call) -> Answer:
        blob = self._blob(call)
        _meet(call, blob)
        before, now, given, proposed = _lease(blob), call.now, call.lease, call.header("x-ms-proposed-lease-id")
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
                raise _Refusal(400, "InvalidHeaderValue")
        if status in (200, 201) and after.id:
            headers["x-ms-lease-id"] = after.id
        return Answer(status, b"", {**_marks(self._write(call, blob, after, touched=False)), **headers})


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


def _not_simulated(what: str) -> _Refusal:
    return _Refusal(501, "NotSimulated", text=f"cluster_sim does not simulate {what} of blob storage.")


def _refuse(refusal: _Refusal, number: int) -> Answer:
    text = f"{refusal.text}\nRequestId:{number:032x}\nTime:{formatdate(usegmt=True)}"
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{refusal.code}</Code><Message>{escape(text)}</Message></Error>'
    return Answer(refusal.status, body.encode(), {"Content-Type": "application/xml", "x-ms-error-code": refusal.code, **refusal.headers})


def _xml(inner: str) -> Answer:
    body = f'<?xml version="1.0" encoding="utf-8"?>{inner}</EnumerationResults>'
    return Answer(200, body.encode(), {"Content-Type": "application/xml"})


def _lease(blob: Mapping[str, Any] | None) -> Lease:
    return Lease(**blob["lease"]) if blob else Lease()


def _etag(*of: object) -> str:
    return f'"0x8D{hashlib.sha256("|".join(map(str, of)).encode()).hexdigest()[:12].upper()}"'


def _meet(call: _Call, blob: Mapping[str, Any] | None) -> None:
    """The conditions by ETag that a caller set."""
    match, other, etag = call.header("If-Match"), call.header("If-None-Match"), blob["etag"] if blob else ""
    if match and (not blob or match not in ("*", etag)):
        raise _Refusal(412, "ConditionNotMet")
    if blob and other and other in ("*", etag):
        raise _Refusal(304 if call.request.method in ("GET", "HEAD") else 412, "ConditionNotMet")


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    found = {name[len(_META) :]: value for name, value in headers.items() if name.lower().startswith(_META)}
    if not all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in found):
        raise _Refusal(400, "InvalidMetadata")
    return found


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise _Refusal(400, "InvalidHeaderValue")
    return int(text)


def _marks(blob: Mapping[str, Any]) -> dict[str, str]:
    return {"ETag": blob["etag"], "Last-Modified": formatdate(blob["changed_at_s"], usegmt=True)}


def _leased(blob: Mapping[str, Any], now: float) -> dict[str, str]:
    lease = _lease(blob)
    shown = {"status": "locked" if lease.locked(now) else "unlocked", "state": lease.state(now)}
    return shown | ({"duration": "infinite" if lease.ends_at_s is None else "fixed"} if shown["state"] == "leased" else {})


def _properties(blob: Mapping[str, Any], now: float) -> dict[str, str]:
    return {
        **_marks(blob),
        "Content-Type": blob["type"],
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": formatdate(blob["made_at_s"], usegmt=True),
        "x-ms-server-encrypted": "true",
        **{f"x-ms-lease-{name}": value for name, value in _leased(blob, now).items()},
        **{f"{_META}{name}": value for name, value in blob["metadata"].items()},
    }


def _row(name: str, blob: Mapping[str, Any], now: float, with_metadata: bool) -> str:
    values = {
        "Creation-Time": formatdate(blob["made_at_s"], usegmt=True),
        "Last-Modified": formatdate(blob["changed_at_s"], usegmt=True),
        "Etag": blob["etag"].strip('"'),
        "Content-Length": len(base64.b64decode(blob["content"])),
        "Content-Type": blob["type"],
        "BlobType": "BlockBlob",
        **{f"Lease{what.title()}": value for what, value in _leased(blob, now).items()},
    }
    properties = "".join(f"<{what}>{escape(str(value))}</{what}>" for what, value in values.items())
    meta = "".join(f"<{what}>{escape(value)}</{what}>" for what, value in blob["metadata"].items())
    said = f"<Metadata>{meta}</Metadata>" if with_metadata else ""
    return f"<Blob><Name>{escape(name)}</Name><Properties>{properties}</Properties>{said}</Blob>"
