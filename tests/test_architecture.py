"""Who may import whom, and what may not stand in the repository: the sentences of ARCHITECTURE.md, checked over every file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def test_dependencies_point_one_way() -> None:
    """The contracts stand in pyproject.toml. Relative imports, imports within functions and those for types alone count too."""
    linted = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=ROOT, text=True, capture_output=True)
    assert linted.returncode == 0, linted.stdout


def test_rooms_of_the_rules_know_few_others() -> None:
    """An arrow is a room that imports another; that none looks up is a contract."""
    arrows = set()
    for file in (ROOT / "tools/rules").rglob("*/*.py"):
        room = file.relative_to(ROOT / "tools/rules").parts[0]
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tools.rules."):
                arrows.add((room, str(node.module).split(".")[2]))
    assert len({one for one in arrows if one[0] != one[1]}) <= 20


@pytest.mark.parametrize("folder", ["tools/values", "tools/rules", "tools/capabilities"])
def test_what_decides_opens_nothing(folder: str) -> None:
    called = [
        f"{file.relative_to(ROOT)}:{node.lineno} calls {node.func.id}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert [one for one in called if one.split()[-1] in ("open", "exec", "eval", "print", "input")] == []


def test_nobody_asks_which_platform_a_part_is_on() -> None:
    """They look it up, in tools.platforms or in tools.pipeline.platforms."""
    platforms = ("azure", "proxmox")
    asked = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for folder in ("tools", "agents")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Compare) and any(isinstance(one, ast.Attribute) and one.attr == "platform" for one in ast.walk(node))
        if any(isinstance(one, ast.Constant) and one.value in platforms for one in ast.walk(node))
    ]
    assert asked == []


def test_no_agent_has_a_tool_that_approves_or_applies() -> None:
    """The tools of all models together: two typed ones."""
    names = set()
    for file in (ROOT / "agents").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "TypedTool" for b in node.bases):
                names.add(node.name)
    assert names == {"EditRequest", "Propose"}


def test_the_deprecated_workflow_agents_are_built_in_two_files_only() -> None:
    built = {
        str(file.relative_to(ROOT / "agents/provisioner"))
        for file in (ROOT / "agents").rglob("*.py")
        if re.search(r"\(LoopAgent\)|\b(SequentialAgent|LoopAgent)\(", file.read_text())
    }
    assert built == {"agent.py", "refinement/loop.py"}


def test_nothing_turns_verification_off_or_runs_a_shell() -> None:
    wrong = []
    for folder in ("tools", "agents"):
        for file in (ROOT / folder).rglob("*.py"):
            wrong += [
                f"{file}: {found}" for found in re.findall(r"verify\s*=\s*False|shell\s*=\s*True|disable_ssl\s*=\s*True", file.read_text())
            ]
    assert wrong == []


def test_no_figure_is_asked_by_a_word_that_int_does_not_know() -> None:
    """`²` is a digit to `str.isdigit`, and no number to `int`."""
    asked = [file for file in (ROOT / "tools").rglob("*.py") if ".isdigit(" in file.read_text()]
    assert asked == []


def test_the_repository_names_no_registry_host_no_machine_path_and_reads_no_shared_folder() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=True).stdout.split()
    forbidden = re.compile(
        r"([p]ypi|[n]pmjs|[g]olang|[d]ebian|[c]rates)\.(org|io)/|files\.[p]ythonhosted|\.\./[s]hared|/[w]ork/(main|shared)|/[r]oot/|/[t]mp/[a-z]+/"
    )
    wrong = []
    for name in files:
        if name.endswith((".png", ".svg")):
            continue
        text = (ROOT / name).read_text(errors="replace") if (ROOT / name).is_file() else ""
        wrong += [f"{name}: {found.group(0)}" for found in forbidden.finditer(text)]
    assert wrong == []
