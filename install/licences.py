"""Under which licence each locked package comes, as its own metadata says: `python install/licences.py` prints docs/licences.md."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
HEAD = """# Licences

What Berth is installed with, as the packages' own metadata says; `make licences` writes this anew, and a test says when it is old. Berth
itself is under Apache-2.0. Terraform's providers and the packages that guests get are not among these.

"""
CHARACTERS_MAX = 60


def names(lock: str) -> list[str]:
    return re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)


def licence(name: str) -> str:
    """As an expression of SPDX where the package has one; otherwise its words, or its classifiers."""
    said = metadata(name)
    if expression := said.get("License-Expression"):
        return str(expression)
    classified = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or () if one.startswith("License :: ")]
    words = (said.get("License") or "").strip().partition("\n")[0]
    return "; ".join(dict.fromkeys(classified)) or words[:CHARACTERS_MAX] or "not said"


def page() -> str:
    product, everything = (dict.fromkeys(names(lock)) for lock in LOCKS)
    rows = [(name, "Berth" if name in product else "tests and extras", licence(name)) for name in sorted({**product, **everything})]
    return HEAD + "\n".join(["| package | for | licence |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


if __name__ == "__main__":
    print(page(), end="")
