"""The SSH proxy command that leads to guests, as words that survive every quoting."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

PLAIN_WORD = re.compile(r"[A-Za-z0-9_./+-]+")


class PlainWords:
    """Gives paths without a space or a quote, by links when need be, so that the command passes through a shell, Ansible and an
    SSH configuration.
    """

    def __init__(self) -> None:
        self._links: Path | None = None

    def proxy_command(self, folder: Path, socket_name: str | None) -> str:
        """The command that dials through the socket in `folder`, or by the ports listed there."""
        words = self._plain({"python": sys.executable, "dial.py": str(Path(__file__).with_name("dial.py")), "guests": str(folder)})
        where = f"{words[2]}/{socket_name}" if socket_name else words[2]
        # Without the site's packages (-S) and the environment (-E), because it runs at the start of every SSH connection.
        return f"{words[0]} -X utf8 -S -E {words[1]} {where} %h %p"

    def close(self) -> None:
        if self._links is not None:
            shutil.rmtree(self._links, ignore_errors=True)

    def _plain(self, targets: dict[str, str]) -> list[str]:
        if all(PLAIN_WORD.fullmatch(target) for target in targets.values()):
            return list(targets.values())
        self._links = Path(tempfile.mkdtemp(prefix="cluster_sim-"))
        for name, target in targets.items():
            (self._links / name).symlink_to(target)
        return [str(self._links / name) for name in targets]
