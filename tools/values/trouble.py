"""The two kinds of trouble, told apart by whose move it is. A manifest that is not good enough is neither: that is a Finding.

Every text has three parts: a constant summary, what happened and why in whole sentences, and the next move.
"""

from __future__ import annotations


class Trouble(Exception):
    """Base of both kinds; never raised itself."""

    def __init__(self, summary: str, detail: str, remedy: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        """Constant text, without anybody's data, so that people learn to recognise it."""
        self.detail = detail
        self.remedy = remedy

    def __str__(self) -> str:
        return " ".join(part for part in (self.summary, self.detail, self.remedy) if part)


class RequestProblem(Trouble):
    """The person must change something."""


class WorldProblem(Trouble):
    """The cluster, the cloud or a program refused or is away."""

    def __init__(self, summary: str, detail: str, remedy: str = "", *, retryable: bool = False) -> None:
        super().__init__(summary, detail, remedy)
        self.retryable = retryable
