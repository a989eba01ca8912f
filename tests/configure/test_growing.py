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
    names = {"mounts": [{"mount": "/boot", "device": "/dev/sda9", "fstype": "ext4"}, {"mount": "/", "device": device, "fstype": kind}]}
    facts = {"ansible.builtin.set_fact": {**names, "os_family": "Debian", "cacheable": True}}
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars_files": [str(ANSIBLE / "roles" / "base" / "defaults" / "main.yml")],
            "tasks": [facts, *_growing(tasks)],
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
    import yaml

    return [one for one in yaml.safe_load(tasks.read_text()) if one.get("ansible.builtin.include_tasks") == "grow.yml"]
