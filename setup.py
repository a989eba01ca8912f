"""Puts the folders that Berth is made of beside its Python packages into the wheel, as tools/shipped/. All else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

KINDS = (".py", ".md", ".tf", ".yml", ".j2", ".cfg")
FOLDERS = {"agents": (*KINDS, ".json"), "ansible": (*KINDS, ".yaml", ".json", ".txt", ".service", ".conf", ".tac"), "terraform": KINDS}
"""Nothing else goes: beside the agents a person may keep a .env with secrets, and ADK its sessions."""


class WithFolders(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for file in (
                f for folder, kinds in FOLDERS.items() for f in sorted(Path(folder).rglob("*")) if f.suffix in kinds and f.is_file()
            ):
                target = Path(self.build_lib, "tools", "shipped", file)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)


setup(cmdclass={"build_py": WithFolders})
