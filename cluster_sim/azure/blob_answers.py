"""How blob storage answers: its refusals with their words, and a blob's properties as headers and as XML. Nothing is decided here.

Microsoft Learn, Azure Storage REST API, "Common REST API error codes" and "Blob Storage error codes"; read 2026-11-30.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from xml.sax.saxutils import escape

from cluster_sim.azure.leases import Lease
from cluster_sim.http import Answer

META = "x-ms-meta-"
_UNKNOWN = "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
WORDS = {
    "AuthorizationFailure": "This request is not authorized to perform this operation.",
    "AuthorizationPermissionMismatch": "This request is not authorized to perform this operation using this permission.",
    "BlobAlreadyExists": "The specified blob already exists.",
    "BlobNotFound": "The specified blob does not exist.",
    "ConditionNotMet": "The condition specified using HTTP conditional header(s) is not met.",
    "ContainerAlreadyExists": "The specified container already exists.",
    "ContainerBeingDeleted": "The specified container is being deleted. Try operation later.",
    "ContainerNotFound": "The specified container does not exist.",
    "InvalidAuthenticationInfo": _UNKNOWN,
    "InvalidHeaderValue": "The value for one of the HTTP headers is not in the correct format.",
    "InvalidMd5": "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64-encoded.",
    "InvalidMetadata": "The metadata specified is invalid. It has characters that are not permitted.",
    "InvalidQueryParameterValue": "Value for one of the query parameters specified in the request URI is invalid.",
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
    "Md5Mismatch": "The MD5 value specified in the request did not match with the MD5 value calculated by the server.",
    "MissingRequiredHeader": "An HTTP header that's mandatory for this request is not specified.",
    "NoAuthenticationInformation": _UNKNOWN,
    "OutOfRangeQueryParameterValue": "One of the query parameters specified in the request URI is outside the permissible range.",
    "ResourceNotFound": "The specified resource does not exist.",
}


class Refusal(Exception):
    def __init__(self, status: int, code: str, *, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.text, self.headers = status, code, text or WORDS[code], headers or {}


def not_simulated(what: str) -> Refusal:
    return Refusal(501, "NotSimulated", text=f"cluster_sim does not simulate {what} of blob storage.")


def refuse(refusal: Refusal, number: int) -> Answer:
    text = f"{refusal.text}\nRequestId:{number:032x}\nTime:{formatdate(usegmt=True)}"
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{refusal.code}</Code><Message>{escape(text)}</Message></Error>'
    return Answer(refusal.status, body.encode(), {"Content-Type": "application/xml", "x-ms-error-code": refusal.code, **refusal.headers})


def xml(inner: str) -> Answer:
    body = f'<?xml version="1.0" encoding="utf-8"?>{inner}</EnumerationResults>'
    return Answer(200, body.encode(), {"Content-Type": "application/xml"})


def lease_of(blob: Mapping[str, Any] | None) -> Lease:
    return Lease(**blob["lease"]) if blob else Lease()


def etag(*of: object) -> str:
    return f'"0x8D{hashlib.sha256("|".join(map(str, of)).encode()).hexdigest()[:12].upper()}"'


def marks(blob: Mapping[str, Any]) -> dict[str, str]:
    return {"ETag": blob["etag"], "Last-Modified": formatdate(blob["changed_at_s"], usegmt=True)}


def _leased(blob: Mapping[str, Any], now: float) -> dict[str, str]:
    lease = lease_of(blob)
    shown = {"status": "locked" if lease.locked(now) else "unlocked", "state": lease.state(now)}
    return shown | ({"duration": "infinite" if lease.ends_at_s is None else "fixed"} if shown["state"] == "leased" else {})


def properties(blob: Mapping[str, Any], now: float) -> dict[str, str]:
    return {
        **marks(blob),
        "Content-Type": blob["type"],
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": formatdate(blob["made_at_s"], usegmt=True),
        "x-ms-server-encrypted": "true",
        **{f"x-ms-lease-{name}": value for name, value in _leased(blob, now).items()},
        **{f"{META}{name}": value for name, value in blob["metadata"].items()},
    }


def row(name: str, blob: Mapping[str, Any], now: float, with_metadata: bool) -> str:
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
