"""What is to be said about a manifest: every finding, sorted. A finding is a kind with its data; its words are made last, from a template
(tools.rules.words.findings), so that reviews are compared by what is so and a better wording changes no digest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tools.values.offer import Sum
from tools.values.value import Record, Value

Datum = bool | int | float | str | None | Sum | tuple[str, ...] | tuple[tuple[str, ...], ...]
Data = tuple[tuple[str, Datum], ...]
"""Values by name."""
THE_CLUSTER = "the cluster"
"""The subject of what is so whichever part is asked about."""


class Severity(StrEnum):
    ERROR = "error"
    """The manifest may not be planned."""
    WARNING = "warning"
    NOTE = "note"


class Finding(Value):
    severity: Severity
    check: str
    """A stable name of what was looked at: `headroom.memory`, `policy.region`."""
    part: str
    subject: str
    kind: str
    """What was found, which is also the name of its words: `name.taken`; with the folder before a colon where a capability has its own."""
    data: Data = ()
    """All that its words speak of."""


@dataclass(frozen=True)
class Fault:
    """What a check found, before it is known of whom and how bad it is."""

    kind: str
    data: Data = ()

    def finding(self, check: str, part: str, subject: str, severity: Severity = Severity.ERROR) -> Finding:
        return Finding(severity=severity, check=check, part=part, subject=subject, kind=self.kind, data=self.data)


def fault(kind: str, /, **data: Datum) -> Fault:
    return Fault(kind, tuple(data.items()))


class Review(Record):
    manifest_digest: str
    findings: tuple[Finding, ...] = ()
    passed: tuple[str, ...] = ()
    """`check:part:subject` of every check that was made and holds, so that a refinement can be seen to lose none."""
    approvals: tuple[tuple[str, str], ...] = ()
    """(role, reason): whose approval the policy asks for besides the operator's."""
    policy_version: str = ""

    @property
    def clean(self) -> bool:
        return not any(f.severity is Severity.ERROR for f in self.findings)
