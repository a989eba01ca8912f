"""Programs that guests may install from the simulated world's own mirror: stand-ins, each openly `+sim`, one file each.

What a mirror serves and where it lies is all that is known here; guests reach it through the keeper of their pod, by the address of their
gateway.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote

ROOT = "/releases/"
VERSIONS = {"k3s": ("v1.36.5+k3s1+sim", "v1.36.4+k3s1+sim")}
"""The newest first. As of the released ones, so that an upgrade goes from one to the other."""
_PLACE = 'VERSION = "v0.0.0+k3s1+sim"'


@cache
def content(program: str, version: str) -> bytes:
    """The program's one file, as of this version."""
    text = (Path(__file__).parent / f"{program}.py").read_text(encoding="utf-8")
    return text.replace(_PLACE, f'VERSION = "{version}"', 1).encode()


def served(path: str) -> bytes | None:
    """What lies at a path of the mirror."""
    program, _, rest = unquote(path.removeprefix(ROOT)).partition("/")
    version, _, file = rest.partition("/")
    return content(program, version) if path.startswith(ROOT) and file == program and version in VERSIONS.get(program, ()) else None


def listed(mirror: str) -> list[dict[str, str]]:
    """What a site's file says of them: where each lies and its SHA-256."""
    return [
        {
            "program": program,
            "version": version,
            "url": f"{mirror}{ROOT}{program}/{quote(version, safe='')}/{program}",
            "sha256": hashlib.sha256(content(program, version)).hexdigest(),
            "source": "the stand-in of cluster_sim",
        }
        for program, versions in VERSIONS.items()
        for version in versions
    ]
