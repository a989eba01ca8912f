"""The two locks say everything, so that nothing is resolved at set-up and what is installed is the same on every day.

Each package's own metadata, as installed here, is asked what it needs; nothing is fetched.
"""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINE = re.compile(r"(?P<name>[a-z0-9-]+)(?:\[[a-z0-9, -]+\])?==(?P<version>[\w.!+-]+)(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)")
LOCKS = {
    "requirements.lock": (["sim"], ["build"]),
    "requirements-dev.lock": (["sim", "models", "policy", "mcp", "a2a", "secrets", "notices", "traces"], ["build", "dev"]),
}
PYTHONS = ["3.11.2", "3.12.0", "3.13.0"]


@dataclass(frozen=True)
class Pin:
    version: str
    hashes: frozenset[str]


@cache
def pins(lock: str) -> dict[str, Pin]:
    """Every line, whole: a line of another form (a range, an address, an option, a marker) is an error."""
    found: dict[str, Pin] = {}
    text = re.sub(r"#.*", "", (ROOT / lock).read_text()).replace("\\\n", " ")
    for line in filter(None, (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())):
        said = LINE.fullmatch(line)
        assert said, f"{lock}: {line[:100]}"
        found[said["name"]] = Pin(said["version"], frozenset(said["hashes"].split()))
    return found


def wanted(lock: str, python: str) -> dict[str, list[tuple[str, Requirement]]]:
    """By package: who needs it and how, beginning with pyproject.toml, extras included."""
    environment = {**default_environment(), "python_version": python.rsplit(".", 1)[0], "python_full_version": python}
    extras, groups = LOCKS[lock]
    first = [*PROJECT["project"]["dependencies"]]
    first += [one for extra in extras for one in PROJECT["project"]["optional-dependencies"][extra]]
    first += [one for group in groups for one in PROJECT["dependency-groups"][group]]
    open_ = [("berth", Requirement(one), "") for one in first]
    found: dict[str, list[tuple[str, Requirement]]] = {}
    seen: set[tuple[str, str]] = set()
    while open_:
        who, requirement, extra = open_.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append((who, requirement))
        for further in {"", *requirement.extras} - {e for n, e in seen if n == name}:
            seen.add((name, further))
            open_ += (
                [(name, Requirement(one), further) for one in metadata(name).get_all("Requires-Dist") or ()] if name in pins(lock) else []
            )
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_all_that_anything_in_it_needs(lock: str, python: str) -> None:
    wrong = [
        f"{who} needs {requirement}, and the lock has {pins(lock)[name].version if name in pins(lock) else 'none'}"
        for name, needs in wanted(lock, python).items()
        for who, requirement in needs
        if name not in pins(lock) or not requirement.specifier.contains(pins(lock)[name].version, prereleases=True)
    ]
    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_nothing_that_nobody_needs(lock: str) -> None:
    assert set(pins(lock)) - set(wanted(lock, PYTHONS[0])) == set()


def test_what_is_installed_here_is_what_is_locked() -> None:
    locked = pins("requirements-dev.lock")
    assert {name: metadata(name)["Version"] for name in locked} == {name: pin.version for name, pin in locked.items()}


def test_the_licences_that_are_listed_are_those_of_what_is_locked() -> None:
    made = subprocess.run([sys.executable, ROOT / "install" / "licences.py"], capture_output=True, text=True, check=True, timeout=60)
    assert made.stdout == (ROOT / "docs" / "licences.md").read_text(encoding="utf-8"), "make licences"


def test_both_locks_pin_alike() -> None:
    product, everything = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: everything.get(name) for name in product} == product
