"""What is to be said about a manifest: every finding, sorted, each with a remedy."""

from __future__ import annotations

from enum import StrEnum

from tools.values.value import Value


class Severity(StrEnum):
    ERROR = "error"
    """The manifest may not be planned."""
    WARNING = "warning"
    NOTE = "note"


class Finding(Value):
    severity: Severity
    check: str
    """A stable name: `headroom.memory`, `policy.region`."""
    part: str
    subject: str
    detail: str
    remedy: str


class Review(Value):
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
