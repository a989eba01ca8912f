"""The product as one wheel: built from what git keeps, installed elsewhere, and used from a folder that has nothing to do with the
checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("agents", "ansible", "terraform")
SENTENCE = "a virtual machine with 2 cores, 4 GB of memory and 20 GB of disk, on network 20, for development"


def _run(words: Sequence[str | Path], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=os.environ | environment, text=True, capture_output=True, timeout=240
    )
    return f"{done.stdout}{done.stderr}(ended with {done.returncode})"


def _tracked(*folders: str) -> list[Path]:
    named = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, text=True, capture_output=True, check=True).stdout
    return [Path(name) for name in named.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    for name in _tracked():
        (place / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, place / "source" / name)
    # Secrets and sessions that a person may have there.
    (place / "source/agents/provisioner/.env").write_text("GOOGLE_API_KEY=hunter2")
    (place / "source/agents/provisioner/.adk").mkdir()
    (place / "source/agents/provisioner/.adk/session.db").write_text("hunter2")
    alone = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    told = _run([sys.executable, "-m", "pip", "wheel", *alone, "-w", place, place / "source"], place)
    found = list(place.glob("berth-*.whl"))
    assert found, told
    return found[0]


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel and the locked packages, and without this checkout."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    # A folder that is named in a .pth is searched, and its own .pth files are not read: the checkout is not found through it.
    (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    alone = ("--no-deps", "--no-index", "--ignore-installed", "--disable-pip-version-check")
    told = _run([sys.executable, "-m", "pip", "--python", place / "bin/python", "install", *alone, wheel], place)
    assert (place / "bin/berth").exists(), told
    return place / "bin"


def test_it_holds_the_code_the_data_and_the_folders_and_nothing_else(wheel: Path) -> None:
    held = {Path(name) for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == {*_tracked("tools", "cluster_sim"), *(Path("tools/shipped") / file for file in _tracked(*SHIPPED))}


def test_help_lists_it_all(elsewhere: Path, tmp_path: Path) -> None:
    told = _run([elsewhere / "berth", "--help"], tmp_path)
    assert {"chat", "web", "api", "doctor", "runs", "sim", "demo"} <= {line.split()[0] for line in told.splitlines() if line.strip()}


def test_a_plan_is_made_from_another_folder(elsewhere: Path, tmp_path: Path) -> None:
    told = _run([elsewhere / "berth", "sim", "four_nodes", "--guests", "none", "--", "berth", "chat", SENTENCE], tmp_path)
    assert "1 to create" in told, told
    assert len(list(tmp_path.glob(".berth/four_nodes/home/runs/*/plan.json"))) == 1, told
    where = "import tools; print(tools.__file__)"
    assert str(elsewhere.parent) in _run([elsewhere / "python", "-c", where], tmp_path)


def test_runs_and_a_wrong_setting_are_told_from_any_folder(elsewhere: Path, tmp_path: Path) -> None:
    assert "There are no runs yet" in _run([elsewhere / "berth", "runs"], tmp_path, BERTH_HOME=str(tmp_path))
    told = _run([elsewhere / "berth", "web"], tmp_path, BERTH_HOME=str(tmp_path), PROXMOX_VE_ENDPOINT="pve1")
    assert ("PROXMOX_VE_ENDPOINT" in told, "(ended with 2)" in told) == (True, True)


def test_without_the_extra_the_simulated_world_says_what_to_install(elsewhere: Path, tmp_path: Path) -> None:
    """Only what the command line itself needs can be found here."""
    for name in ("click", "colorama"):
        found = Path(sysconfig.get_path("purelib")) / name
        if found.exists():
            (tmp_path / name).symlink_to(found)
    (tmp_path / "tools").symlink_to(next(elsewhere.parent.glob("lib/python*/site-packages/tools")))
    begin = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from tools.cli import main; main(['sim', 'four_nodes'])"
    told = _run([elsewhere / "python", "-I", "-S", "-c", begin], tmp_path)
    assert ("pip install 'berth[sim]'" in told, "(ended with 2)" in told) == (True, True), told
