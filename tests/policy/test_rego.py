"""An organisation's own Rego beside the YAML rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.clients.rego import read_rego
from tools.values.trouble import RequestProblem

EXAMPLE = re.findall(r"```rego\n(.*?)```", (ROOT / "docs" / "policy.md").read_text(), re.DOTALL)[0]


@pytest.mark.parametrize(
    ("document", "checks", "roles"),
    [
        ({"part": "db", "team": {"name": "frozen"}, "requirements": {"environment": "development"}}, ["policy.no-weekend"], []),
        ({"part": "db", "team": {"name": "ml"}, "requirements": {"environment": "production"}}, [], ["ciso"]),
        ({"part": "db", "team": {"name": "ml"}, "requirements": {}}, [], []),
    ],
)
def test_the_documented_example_judges(tmp_path: Path, document: dict[str, object], checks: list[str], roles: list[str]) -> None:
    (tmp_path / "own.rego").write_text(EXAMPLE)
    got = read_rego(tmp_path)(document)
    assert ([f.check for f in got.findings], [role for role, _ in got.approvals]) == (checks, roles)


def test_rego_that_does_not_compile_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.rego").write_text("package berth\nreject := ")
    with pytest.raises(RequestProblem, match=r"broken\.rego does not compile"):
        read_rego(tmp_path)


def test_a_folder_without_rego_says_nothing(tmp_path: Path) -> None:
    assert read_rego(tmp_path)({"part": "x"}).outcome == "approve"
