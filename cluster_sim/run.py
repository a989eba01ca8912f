"""Runs a command in a simulated world: `berth sim WORLD … -- COMMAND …`, or `python -m cluster_sim.run` with the same words.

The world is served in a process of its own, its ready line becomes the settings of the command (the same ones that connect a
real cluster), and it is stopped when the command ends. What the command does with them is its own affair.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

FOLDER = Path(".berth")
WORLDS = Path(__file__).parent / "worlds"
READY_SECONDS_MAX = 600
"""Building the guests' base image is part of the first start."""
COMMAND_SECONDS_MAX = 30
"""How long a command may take to end when it is told to."""
REGISTRY = "https://registry.terraform.io/.well-known/terraform.json"


@contextmanager
def world(files: Sequence[str], folder: Path, *, guests: str = "auto") -> Iterator[dict[str, Any]]:
    """Serves a world and gives its ready line. Stops it at the end, whatever happens."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, "-X", "utf8", "-m", "cluster_sim", "serve", *files, "--folder", str(folder), "--guests", guests]
    # A session of its own: Ctrl-C goes to the command, and the world is stopped after it.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(process.wait() or 1)
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def settings(ready: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The ready line as the environment variables that connect any client to any cluster or cloud."""
    given = {"BERTH_CA_FILE": ready["ca_file"], "BERTH_HOME": str(folder / "home")}
    if proxmox := ready.get("proxmox"):
        given["PROXMOX_VE_ENDPOINT"], given["PROXMOX_VE_API_TOKEN"] = proxmox["url"], proxmox["token"]
    if azure := ready.get("azure"):
        url = azure["url"]
        given |= {f"ARM_{name.upper()}": azure[name] for name in ("tenant_id", "subscription_id", "client_id", "client_secret")}
        given |= dict.fromkeys(
            ("ARM_RESOURCE_MANAGER_ENDPOINT", "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "ARM_RESOURCE_MANAGER_AUDIENCE"), url
        )
    if ready.get("guest_proxy_command"):
        given["BERTH_GUEST_PROXY_COMMAND"] = ready["guest_proxy_command"]
    if ready.get("site_file") and "BERTH_SITE_FILE" not in os.environ:
        given["BERTH_SITE_FILE"] = ready["site_file"]
    if not registry_answers():
        given["BERTH_PROVIDER_MIRROR"] = ready["mirror"]
    if "BERTH_PUBLIC_KEY_FILE" not in os.environ and not list((Path.home() / ".ssh").glob("id_*.pub")):
        given["BERTH_PUBLIC_KEY_FILE"] = str(operator_key(folder))
    return given


def registry_answers() -> bool:
    """The public Terraform registry can be had; otherwise the world's own mirror serves."""
    try:
        with urllib.request.urlopen(REGISTRY, timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def operator_key(folder: Path) -> Path:
    """A key pair for an operator who has none; the public file's path."""
    file = folder / "operator_key"
    if not file.exists():
        key = ed25519.Ed25519PrivateKey.generate()
        file.touch(mode=0o600)
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()))
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        file.with_suffix(".pub").write_bytes(public + b" operator@demo\n")
        print(f"You have no SSH key, so one was made for you: {file}", file=sys.stderr)
    return file.with_suffix(".pub")


def environment(ready: Mapping[str, Any], folder: Path) -> dict[str, str]:
    return {**os.environ, **settings(ready, folder)}


def fresh(folder: Path) -> Path:
    """The folder, empty but for guests' disks that a plain user cannot remove: those the pod itself removes when it starts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    return folder.absolute()


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        prog="berth sim",
        usage="%(prog)s [options] WORLD ... -- COMMAND ...",
        description=__doc__.split("\n\n")[0] if __doc__ else None,
    )
    parser.add_argument(
        "worlds",
        nargs="+",
        metavar="WORLD",
        help=f"a world file, or one of {', '.join(sorted(w.stem for w in WORLDS.glob('*.yaml')))}",
    )
    parser.add_argument("--folder", type=Path, help="where the world, its guests and Berth's home live (default: .berth/<world>)")
    parser.add_argument("--guests", default="auto", choices=("auto", "pod", "emulated", "none"))
    parser.add_argument("--fresh", action="store_true", help="begin with an empty folder")
    chosen = parser.parse_args(words[:cut])
    command = words[cut + 1 :]
    if not command:
        parser.error("no command: put it after --")
    folder = chosen.folder or FOLDER / "-".join(Path(w).stem for w in chosen.worlds)
    folder = fresh(folder) if chosen.fresh else folder.absolute()
    files = [word if Path(word).exists() else str(WORLDS / f"{word}.yaml") for word in chosen.worlds]
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stopped)
    with world(files, folder / "world", guests=chosen.guests) as ready:
        return _run(command, environment(ready, folder))


def _stopped(number: int, frame: FrameType | None) -> NoReturn:
    """Told to stop, or the terminal was closed: the command and the world are stopped on the way out."""
    sys.exit(128 + number)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    process = subprocess.Popen(command, env=environment)
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # The command has got it too, and decides what it means.
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(COMMAND_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
