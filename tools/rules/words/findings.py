"""The words of findings, made last: what is wrong and why, and the next move. What was found is decided by the checks.

Words lie in `texts/findings.toml`, those of a capability's own checks in its folder's `findings.toml`; each is a strict template over the
finding's data.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from tools.rules.words.rendering import bare
from tools.values.review import Finding, Review
from tools.values.value import Json


def detail(finding: Finding) -> str:
    """What is wrong and why, in whole sentences. A kind that this Berth has no words for is told by its data."""
    if finding.kind not in words(finding.kind):
        return f"{finding.kind}: {', '.join(f'{name} {value}' for name, value in finding.data)}."
    return _drawn(finding, "detail")


def remedy(finding: Finding) -> str:
    """The next move; empty where there is none to name."""
    return _drawn(finding, "remedy") if finding.kind in words(finding.kind) else ""


def sentence(finding: Finding) -> str:
    """The detail, with the subject before it where it does not name it."""
    said = detail(finding)
    return said if finding.subject in said else f"{finding.subject}: {said}"


def review_json(review: Review) -> Json:
    """For people and programs that read a run's folder: every finding with its words."""
    said = [{**f.model_dump(mode="json"), "detail": detail(f), "remedy": remedy(f)} for f in review.findings]
    return {**review.model_dump(mode="json"), "findings": said}


@cache
def words(kind: str) -> Mapping[str, Mapping[str, str]]:
    """The words among which a kind's own are: `name.taken` is Berth's, `postgresql:network.unknown` that capability's."""
    folder = kind.rpartition(":")[0]
    place = files("tools.capabilities").joinpath(folder) if folder else files("tools.rules.words").joinpath("texts")
    file = place.joinpath("findings.toml")
    loaded = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    return {f"{folder}:{name}" if folder else name: said for name, said in loaded.items()}


def _drawn(finding: Finding, which: Literal["detail", "remedy"]) -> str:
    said = words(finding.kind)[finding.kind].get(which, "")
    return bare().from_string(said).render(dict(finding.data)) if "{" in said else said
