"""The role `base` grows a root file system that its disk has outgrown, and looks before it does: with stand-ins for the programs that do
it, since no guest here has a disk of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ANSIBLE = Path(__file__).parents[2] / "ansible"
PROGRAMS = {
    # cloud-utils 0.33: 0 and CHANGED, or 1 and NOCHANGE.
    "growpart": '[ -e "$ROOM" ] && { rm "$ROOM"; touch "$GREW"; echo "CHANGED: partition=$2"; exit 0; }; echo "NOCHANGE: $1"; exit 1',
    # e2fsprogs 1.47: always 0.
    "resize2fs": '[ -e "$GREW" ] && { rm "$GREW"; echo "now 15 long"; exit 0; }; echo "It is 1 long. Nothing to do!"',
    "xfs_growfs": '[ -e "$GREW" ] && { rm "$GREW"; echo "data blocks changed from 1 to 2"; exit 0; }; echo "data = bsize 4096"',
}


@pytest.mark.parametrize(
    ("device", "kind", "called"),
    [
        ("/dev/sda1", "ext4", ["growpart /dev/sda 1", "resize2fs /dev/sda1"]),
        ("/dev/nvme0n1p3", "xfs", ["growpart /dev/nvme0n1 3", "xfs_growfs /"]),
        ("/dev/mapper/vg-root", "ext4", []),
        ("overlay", "overlay", []),
    ],
)
def test_what_has_grown_is_grown_inside_once(tmp_path: Path, device: str, kind: str, called: list[str]) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, line in PROGRAMS.items():
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "$CALLED"\n{line}\n')
        (programs / name).chmod(0o755)
    tasks = ANSIBLE / "roles" / "base" / "tasks" / "main.yml"
    mounts = [{"target": "/boot", "source": "/dev/sda9", "fstype": "ext4"}, {"target": "/", "source": device, "fstype": kind}]
    (programs / "findmnt").write_text(f"#!/bin/sh\ncat <<'EOF'\n{json.dumps({'filesystems': mounts})}\nEOF\n")
    (programs / "findmnt").chmod(0o755)
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars_files": [str(ANSIBLE / "roles" / "base" / "defaults" / "main.yml")],
            "tasks": _growing(tasks),
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    (tmp_path / "grow.yml").write_text((tasks.parent / "grow.yml").read_text())
    given = {name: str(tmp_path / name) for name in ("ROOM", "GREW", "CALLED")}
    (tmp_path / "ROOM").touch()
    environment = {
        **os.environ,
        **given,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    changes = []
    for _ in range(2):
        argv = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            "localhost,",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            str(tmp_path / "play.yml"),
        ]
        done = subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        changes.append(int(re.findall(r"changed=(\d+)", done.stdout)[-1]))
    calls = (tmp_path / "CALLED").read_text().splitlines() if (tmp_path / "CALLED").exists() else []
    assert calls == called * 2
    assert changes == [len(called), 0], "done twice, it changes nothing the second time"


def _growing(tasks: Path) -> list[object]:
    told = yaml.safe_load(tasks.read_text())
    return [one for one in told if one.get("ansible.builtin.include_tasks") == "grow.yml" or one.get("register") == "base_findmnt"]


DISKS = {
    # util-linux 2.38.
    "lsblk": 'echo \'{"blockdevices": [{"name": "/dev/sda", "serial": null, "children": [{"name": "/dev/sda1"}]}, '
    '{"name": "/dev/sdb", "serial": "berth-scsi1"}]}\'',
    "wipefs": 'cat "$HOLDS"',
    # e2fsprogs 1.47: without a terminal it asks nobody, and overwrites whatever is there.
    "mkfs.ext4": 'echo ext4 > "$HOLDS"',
    "resize2fs": 'echo "It is 1 long. Nothing to do!"',
    "find": 'ls "$INSIDE" | head -n 1',
}


@pytest.mark.parametrize(
    ("holds", "inside", "done"),
    [("", False, ["mkfs.ext4"]), ("ext4", False, []), ("xfs", False, None), ("gpt", False, None), ("", True, None)],
    ids=["empty", "formatted", "of somebody else", "with a table of partitions", "over a full folder"],
)
def test_a_data_disk_is_formatted_once_and_hides_and_overwrites_nothing(
    tmp_path: Path, holds: str, inside: bool, done: list[str] | None
) -> None:
    """Up to where systemd mounts it: the unit is written, and started by whoever has a systemd."""
    programs, role = tmp_path / "bin", ANSIBLE / "roles" / "base"
    programs.mkdir()
    (tmp_path / "INSIDE").mkdir()
    if inside:
        (tmp_path / "INSIDE" / "kept").touch()
    (tmp_path / "HOLDS").write_text(holds)
    for name, line in DISKS.items():
        (programs / name).write_text(f'#!/bin/sh\necho "{name}" >> "$CALLED"\n{line}\n')
        (programs / name).chmod(0o755)
    tasks = yaml.safe_load((role / "tasks" / "disk.yml").read_text())
    own = [one for one in tasks if not {"ansible.builtin.file", "ansible.builtin.copy", "ansible.builtin.systemd"} & one.keys()]
    given = {"base_disk": {"group": "", "serial": "berth-scsi1", "folder": "/srv/app-data"}, "base_mounts": []}
    units = {"ansible.builtin.copy": {"content": "{{ base_unit }}", "dest": str(tmp_path / "unit")}}
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [*own, units]}]
    play[0]["vars_files"] = [str(role / "defaults" / "main.yml")]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    environment = {**os.environ, **{name: str(tmp_path / name) for name in ("HOLDS", "INSIDE", "CALLED")}, "HOME": str(tmp_path)}
    environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-e", json.dumps(given)]
    argv += ["-e", f"ansible_python_interpreter={sys.executable}", str(tmp_path / "play.yml")]
    ran = subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode == 0) == (done is not None), ran.stdout + ran.stderr
    calls = (tmp_path / "CALLED").read_text().split()
    assert [one for one in calls if one == "mkfs.ext4"] == (done or [])
    if done is not None:
        assert (tmp_path / "unit").read_text() == r"srv-app\x2ddata.mount"
