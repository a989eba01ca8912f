"""The lease of a blob: its states, and what each operation makes of it. Pure: the clock is handed in.

Microsoft Learn, "Lease Blob" (outcomes of use attempts by lease state); codes as Azurite's src/blob/lease at 2395dec, read 2026-11-30.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from typing import Literal

INFINITE = -1
_GUID = re.compile(r"\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)

State = Literal["available", "leased", "expired", "breaking", "broken"]


class LeaseProblem(Exception):
    """A refusal, by the code that Azure gives it."""

    def __init__(self, code: str, status: int = 409) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(frozen=True)
class Lease:
    id: str = ""
    """Empty: there is none."""
    duration_s: int = INFINITE
    ends_at_s: float | None = None
    breaks_at_s: float | None = None
    """When one that is being broken is gone."""

    def state(self, now: float) -> State:
        if not self.id:
            return "available"
        if self.breaks_at_s is not None:
            return "breaking" if now < self.breaks_at_s else "broken"
        return "expired" if self.ends_at_s is not None and now >= self.ends_at_s else "leased"

    def locked(self, now: float) -> bool:
        return self.state(now) in ("leased", "breaking")


def acquire(lease: Lease, now: float, duration_s: int, proposed: str) -> Lease:
    state = lease.state(now)
    if state == "breaking":
        raise LeaseProblem("LeaseIsBreakingAndCannotBeAcquired" if _same(proposed, lease) else "LeaseAlreadyPresent")
    if state == "leased" and not _same(proposed, lease):
        raise LeaseProblem("LeaseAlreadyPresent")
    if duration_s != INFINITE and not 15 <= duration_s <= 60:
        raise LeaseProblem("InvalidHeaderValue", 400)
    return Lease(_id(proposed or str(uuid.uuid4())), duration_s, _end(now, duration_s))


def renew(lease: Lease, now: float, given: str) -> Lease:
    """One that has run out can be renewed as long as nobody else took it or wrote."""
    if not _same(given, lease):
        raise LeaseProblem("LeaseIdMismatchWithLeaseOperation")
    if lease.state(now) in ("breaking", "broken"):
        raise LeaseProblem("LeaseIsBrokenAndCannotBeRenewed")
    return replace(lease, ends_at_s=_end(now, lease.duration_s))


def change(lease: Lease, now: float, given: str, proposed: str) -> Lease:
    state = lease.state(now)
    if state == "leased" and (_same(given, lease) or _same(proposed, lease)):
        return replace(lease, id=_id(proposed))
    if state == "breaking" and _same(given, lease):
        raise LeaseProblem("LeaseIsBreakingAndCannotBeChanged")
    raise LeaseProblem(f"Lease{'IdMismatch' if lease.locked(now) else 'NotPresent'}WithLeaseOperation")


def release(lease: Lease, given: str) -> Lease:
    if not _same(given, lease):
        raise LeaseProblem("LeaseIdMismatchWithLeaseOperation")
    return Lease()


def break_(lease: Lease, now: float, period_s: int | None) -> Lease:
    """An infinite lease goes at once, one with an end at its end, unless a period is said; a period can only shorten the rest."""
    if period_s is not None and not 0 <= period_s <= 60:
        raise LeaseProblem("InvalidHeaderValue", 400)
    state = lease.state(now)
    if state == "available":
        raise LeaseProblem("LeaseNotPresentWithLeaseOperation")
    if state in ("broken", "expired"):
        return replace(lease, breaks_at_s=min(now, lease.breaks_at_s or now))
    rest = lease.breaks_at_s if state == "breaking" else lease.ends_at_s
    wanted = None if period_s is None else now + period_s
    return replace(lease, breaks_at_s=min((at for at in (rest, wanted) if at is not None), default=now))


def may_read(lease: Lease, now: float, given: str) -> None:
    """A read that names a lease must name the one that holds."""
    if given and not lease.locked(now):
        raise LeaseProblem("LeaseNotPresentWithBlobOperation", 412)
    if given and not _same(given, lease):
        raise LeaseProblem("LeaseIdMismatchWithBlobOperation", 412)


def may_write(lease: Lease, now: float, given: str) -> Lease:
    """What is left of the lease after a write: one that ran out or was broken is gone for good."""
    may_read(lease, now, given)
    if lease.locked(now):
        if not given:
            raise LeaseProblem("LeaseIdMissing", 412)
        return lease
    return Lease()


def _same(given: str, lease: Lease) -> bool:
    return bool(lease.id) and given.lower() == lease.id.lower()


def _id(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise LeaseProblem("InvalidHeaderValue", 400)
    return text.lower()


def _end(now: float, duration_s: int) -> float | None:
    return None if duration_s == INFINITE else now + duration_s
