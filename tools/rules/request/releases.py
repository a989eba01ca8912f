"""Which release of a program that a distribution has no package of: the site's own mirror, or the public one as it is shipped."""

from __future__ import annotations

import re

from tools.data import table
from tools.values.site import Release, Site


def releases_of(site: Site, program: str) -> tuple[Release, ...]:
    """The first is taken where nobody names one."""
    own = tuple(one for one in site.releases if one.program == program)
    return own or tuple(Release.model_validate(row) for row in table("releases") if row["program"] == program)


def find(releases: tuple[Release, ...], said: str) -> Release | None:
    """By its version as people say it: with or without the v, and without what comes behind the number where only one has it."""
    plain = said.strip().lower().removeprefix("v")
    exact = [one for one in releases if one.version.lower().removeprefix("v") == plain]
    near = [one for one in releases if one.version.lower().removeprefix("v").partition("+")[0] == plain]
    return exact[0] if exact else near[0] if len(near) == 1 else None


def number(version: str) -> tuple[int, ...]:
    """`v1.36.5+k3s1` is (1, 36, 5)."""
    return tuple(int(one) for one in re.findall(r"\d+", version.partition("+")[0]))
