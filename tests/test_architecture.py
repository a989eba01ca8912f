"""The sentences of ARCHITECTURE.md about who may import whom, and what may not stand in the repository, checked over every file."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOUCHING = {
    "os",
    "subprocess",
    "socket",
    "requests",
    "httpx",
    "urllib",
    "shutil",
    "tempfile",
    "sqlalchemy",
    "dbos",
    "proxmoxer",
    "asyncio",
}


def _imports(folder: str) -> Iterator[tuple[Path, str]]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((file.relative_to(ROOT), alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield file.relative_to(ROOT), node.module
                yield from ((file.relative_to(ROOT), f"{node.module}.{alias.name}") for alias in node.names)


def _under(name: str, *tops: str) -> bool:
    return any(name == top or name.startswith(top + ".") for top in tops)


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("tools", ("google.adk", "provisioner", "agents", "cluster_sim")),
        ("agents", ("cluster_sim",)),
        ("cluster_sim", ("tools", "agents", "provisioner", "google.adk")),
        ("tools/values", ("tools.rules", "tools.capabilities", "tools.clients", "tools.pipeline", *TOUCHING)),
        ("tools/rules", ("tools.capabilities", "tools.clients", "tools.pipeline", *TOUCHING)),
        ("tools/capabilities", ("tools.clients", "tools.pipeline", *TOUCHING)),
        ("tools/clients", ("tools.pipeline", "tools.capabilities")),
    ],
)
def test_dependencies_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    wrong = sorted({f"{file} imports {name}" for file, name in _imports(folder) if _under(name, *forbidden)})
    assert wrong == []


def test_capabilities_do_not_know_each_other() -> None:
    wrong = []
    names = [p.name for p in (ROOT / "tools/capabilities").iterdir() if (p / "__init__.py").exists()]
    for name in names:
        others = tuple(f"tools.capabilities.{other}" for other in names if other != name)
        wrong += [f"{file} imports {seen}" for file, seen in _imports(f"tools/capabilities/{name}") if _under(seen, *others)]
    assert wrong == []


@pytest.mark.parametrize("folder", ["tools/values", "tools/rules", "tools/capabilities"])
def test_what_decides_opens_nothing(folder: str) -> None:
    wrong = []
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("open", "exec", "eval", "print", "input")
            ):
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} calls {node.func.id}")
    assert wrong == []


def test_no_agent_has_a_tool_that_approves_or_applies() -> None:
    """The tools of all models together: two typed ones."""
    names = set()
    for file in (ROOT / "agents").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "TypedTool" for b in node.bases):
                names.add(node.name)
    assert names == {"HearTool", "Propose"}


def test_the_deprecated_workflow_agents_are_built_in_two_files_only() -> None:
    built = {
        str(file.relative_to(ROOT / "agents/provisioner"))
        for file in (ROOT / "agents").rglob("*.py")
        if re.search(r"\b(SequentialAgent|LoopAgent)\(", file.read_text())
    }
    assert built == {"agent.py", "refinement/loop.py"}


def test_nothing_turns_verification_off_or_runs_a_shell() -> None:
    wrong = []
    for folder in ("tools", "agents"):
        for file in (ROOT / folder).rglob("*.py"):
            wrong += [
                f"{file}: {found}"
                for found in re.findall(r"verify\s*=\s*False|shell\s*=\s*True|disable_ssl\s*=\s*True", file.read_text())
            ]
    assert wrong == []


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
