"""Guests with a body: system containers in a pod of their own. The simulator's side; the pod's inside is podinit.py."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cluster_sim
from cluster_sim.guests.cgroups import cgroup_parent, delegation_prefix
from cluster_sim.guests.keeper import CLOSE_SECONDS_MAX, SOCKET_NAME, START_SECONDS_MAX
from cluster_sim.guests.proxying import PlainWords
from cluster_sim.guests.seed import drive_files, new_disk_files
from cluster_sim.guests.values import Executed, GuestProblem, GuestSpec

BOOT_SECONDS_MAX = 60.0
SHUTDOWN_SECONDS_MAX = 60.0
ANSWER_SECONDS_MAX = 330.0
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_PER_GUEST = 5
"""Measured: 25 guests of this image fit into the usual 128 instances a user."""


class PodBodies:
    kind = "pod"

    def __init__(
        self, folder: Path, image: Path, networks: tuple[IPv4Interface, ...], *, keep: bool, guests_max: int | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder.resolve()
        self._words = PlainWords()
        self._guests_max = guests_max or _guests_max()
        self._boots = threading.Lock()
        source = str(Path(cluster_sim.__file__).parents[1])
        log = (self._folder / "pod.log").open("ab")
        prefix = [] if isinstance(cgroup_parent(), Path) else delegation_prefix()
        command = [
            *prefix,
            sys.executable,
            "-X",
            "utf8",
            "-m",
            "cluster_sim.guests.keeper",
            *(["--keep"] if keep else []),
            str(self._folder),
            str(image),
            *map(str, networks),
        ]
        # A session of its own: Ctrl-C in the simulator's terminal is the simulator's to act on.
        self._keeper = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=source,
            env=os.environ | {"PYTHONPATH": source},
            start_new_session=True,
        )
        log.close()
        self._wait_until_ready()
        self.proxy_command: str | None = self._words.proxy_command(self._folder, SOCKET_NAME)

    def boot(self, spec: GuestSpec) -> None:
        name = _name(spec.key)
        with self._boots:
            if name not in (up := self._list()) and len(up) >= self._guests_max:
                raise GuestProblem(
                    f"{spec.hostname} cannot start: each guest with a real system needs {INOTIFY_PER_GUEST} inotify instances "
                    "and this "
                    f"machine allows a user {INOTIFY_LIMIT.read_text().strip()}, so at most {self._guests_max} run at once. "
                    "Stop another guest, or raise fs.inotify.max_user_instances."
                )
            self._ask(
                {
                    "op": "boot",
                    "name": name,
                    "hostname": spec.hostname,
                    "mac": spec.mac.lower(),
                    "address": str(spec.address),
                    "gateway": str(spec.gateway),
                    "cpu_count": spec.cpu_count,
                    "memory_bytes": spec.memory_bytes,
                    "new_disk": [vars(file) for file in new_disk_files(spec)],
                    "drive": [vars(file) for file in drive_files(spec)],
                },
                BOOT_SECONDS_MAX,
            )

    def shutdown(self, key: str, force: bool = False) -> None:
        try:
            self._ask({"op": "stop" if force else "shutdown", "name": _name(key)}, SHUTDOWN_SECONDS_MAX)
        except TimeoutError as late:
            raise GuestProblem(f"Guest {key} did not shut down within {SHUTDOWN_SECONDS_MAX:.0f} s. Stop it by force.") from late

    def destroy(self, key: str) -> None:
        self.shutdown(key, force=True)
        self._ask({"op": "destroy", "name": _name(key)}, ANSWER_SECONDS_MAX)

    def is_up(self, key: str) -> bool:
        return self._list().get(_name(key), False)

    def running(self) -> tuple[str, ...]:
        return tuple(self._list())

    def exec(self, key: str, argv: Sequence[str]) -> Executed:
        answer = self._ask({"op": "exec", "name": _name(key), "argv": list(argv)}, ANSWER_SECONDS_MAX)
        return Executed(answer["returncode"], answer["stdout"], answer["stderr"])

    def close(self) -> None:
        assert self._keeper.stdin is not None
        with contextlib.suppress(OSError):
            self._keeper.stdin.close()
        try:
            self._keeper.wait(CLOSE_SECONDS_MAX + 5)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()
        self._words.close()

    def _list(self) -> dict[str, bool]:
        guests: dict[str, bool] = self._ask({"op": "list"}, 10.0)["guests"]
        return guests

    def _wait_until_ready(self) -> None:
        assert self._keeper.stdout is not None
        overdue = threading.Timer(START_SECONDS_MAX + 5, self._keeper.kill)
        overdue.start()
        line = self._keeper.stdout.readline()
        overdue.cancel()
        told = json.loads(line) if line else {"problem": f"The pod did not start. What it said is in {self._folder / 'pod.log'}."}
        if "ready" not in told:
            self.close()
            raise GuestProblem(told["problem"])

    def _ask(self, request: dict[str, Any], seconds_max: float) -> dict[str, Any]:
        line = json.dumps(request).encode() + b"\n"
        with _connect(self._folder / SOCKET_NAME) as connection:
            connection.settimeout(seconds_max)
            connection.sendall(line)
            answered = b""
            while more := connection.recv(65536):
                answered += more
        answer: dict[str, Any] = json.loads(answered) if answered else {"problem": "The guests' pod has ended. Restart the simulator."}
        if "problem" in answer:
            raise GuestProblem(answer["problem"])
        return answer


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    # Through the folder's descriptor, because a socket's address holds about a hundred bytes and its folder may be deep.
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError as problem:
        connection.close()
        raise GuestProblem(f"The guests' pod does not answer at {path}: {problem.strerror}. Restart the simulator.") from problem
    finally:
        os.close(folder)
    return connection


def _name(key: str) -> str:
    """The key as one plain file name."""
    return quote(key, safe="") if key not in (".", "..") else key.replace(".", "%2E")


def _guests_max() -> int:
    try:
        return max(1, int(INOTIFY_LIMIT.read_text()) // INOTIFY_PER_GUEST)
    except (OSError, ValueError):
        return 25
