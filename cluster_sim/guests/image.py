"""The base image of guests with a body: a Debian (or Ubuntu) cloud image, built once by mmdebstrap and kept in the cache folder.

It is what an operator's template has in it (systemd, cloud-init, sshd, python3) and nothing the roles are there to install.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cluster_sim
from cluster_sim.guests.apt_proxy import cache_folder, serve_apt
from cluster_sim.guests.sources import Source, machine_sources, suite_of
from cluster_sim.guests.values import GuestProblem, Say

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "python3",
    "python3-apt",
    "sudo",
    "iproute2",
    "iputils-ping",
    "ca-certificates",
    "cloud-init",
    "apt-utils",
    "procps",
    "curl",
    "less",
    "vim-tiny",
    "tzdata",
)
MASKED = (
    # Devices and consoles a container does not have.
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-kernel-config.mount",
    "sys-fs-fuse-connections.mount",
    "console-getty.service",
    "getty@.service",
    "getty-static.service",
    "systemd-random-seed.service",
    "systemd-logind.service",
    # Each of these two keeps an inotify instance, of which a machine has few.
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    # What would start by itself and find no way out.
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "dpkg-db-backup.timer",
    "fstrim.timer",
)
CLOUD_CONFIG = {
    "datasource_list": ["NoCloud"],
    "network": {"config": "disabled"},
    "locale": False,
    "ssh_genkeytypes": ["ed25519"],
    "apt_preserve_sources_list": True,
    "preserve_hostname": False,
}
BUILD_SECONDS_MAX = 1800
QUIET_SECONDS_MAX = 5.0
RECIPE_VERSION = 1
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


def image_folder(say: Say) -> Path:
    """The unpacked image for this user, built now when it is not there."""
    if (built := built_image()) is not None:
        return built
    sources = machine_sources()
    folder = _place(sources)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / "lock", say):
        if not folder.is_dir():
            started = time.monotonic()
            say(
                "Building the guests' base image from this machine's own apt sources. That is done once and takes about a minute."
            )
            _build(folder, sources, say)
            say(f"The base image is ready after {time.monotonic() - started:.0f} s.")
    return folder


def built_image() -> Path | None:
    """The image if it is already there. Its folder gets its name only when it is whole."""
    folder = _place(machine_sources())
    return folder if folder.is_dir() else None


def _place(sources: tuple[Source, ...]) -> Path:
    return cache_folder() / "images" / recipe_digest(sources)


def recipe_digest(sources: tuple[Source, ...]) -> str:
    lines = [source.line() for source in sources]
    recipe = [RECIPE_VERSION, PACKAGES, MASKED, CLOUD_CONFIG, LEFT_OUT, lines, os.getuid()]
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]


def _build(folder: Path, sources: tuple[Source, ...], say: Say) -> None:
    with tempfile.TemporaryDirectory(prefix="cluster_sim-image-") as scratch, _package_proxy() as proxy:
        tar = Path(scratch) / "image.tar"
        overlay = Path(scratch) / "overlay"
        _write_overlay(overlay, sources)
        words = ["mmdebstrap", "--variant=minbase", "--format=tar", f"--include={','.join(PACKAGES)}"]
        words += [f"--mode={'root' if os.geteuid() == 0 else 'unshare'}"]
        words += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
        words += ["--dpkgopt=force-unsafe-io", '--aptopt=Acquire::Languages "none"', f'--aptopt=Acquire::http::Proxy "{proxy}"']
        # The guests find their own proxy; this one is gone by then.
        words += ['--customize-hook=sed -i /Proxy/d "$1/etc/apt/apt.conf.d/99mmdebstrap"']
        words += ['--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname" "$1/etc/resolv.conf"']
        words += ['--customize-hook=: > "$1/etc/machine-id"', f"--customize-hook=tar-in {overlay}.tar /"]
        _pack(overlay, Path(f"{overlay}.tar"))
        listing = "\n".join(source.line(source.plain_uri) for source in sources) + "\n"
        (Path(scratch) / "sources.list").write_text(listing)
        _run([*words, suite_of(sources), str(tar), str(Path(scratch) / "sources.list")], say, Path(scratch))
        say("Unpacking the base image.")
        part = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.part")
        part.mkdir()
        try:
            unpack(tar, part)
            part.rename(folder)
        except BaseException:
            remove_tree(part)
            raise


def unpack(tar: Path, folder: Path) -> None:
    """Unpacks inside the guests' user namespace, so that root's files belong to the guests' root."""
    _mapped(["tar", "-x", "--exclude=./dev/*", "-p", "--numeric-owner"], folder, stdin=tar)


def remove_tree(folder: Path) -> None:
    """Removes what belongs to ids only the guests' user namespace may touch."""
    if folder.is_dir():
        with contextlib.suppress(GuestProblem):
            _mapped(["find", ".", "-mindepth", "1", "-delete"], folder, stdin=Path(os.devnull))
        shutil.rmtree(folder, ignore_errors=True)


def _mapped(words: list[str], folder: Path, stdin: Path) -> None:
    source = str(Path(cluster_sim.__file__).parents[1])
    command = [sys.executable, "-m", "cluster_sim.guests.mapped", str(folder), *words]
    environment = os.environ | {"PYTHONPATH": source}
    with stdin.open("rb") as given:
        done = subprocess.run(
            command, check=False, stdin=given, capture_output=True, text=True, env=environment, timeout=BUILD_SECONDS_MAX
        )
    if done.returncode != 0:
        raise GuestProblem(f"{words[0]} failed in {folder}: {done.stderr.strip()[-600:]}")


def _write_overlay(root: Path, sources: tuple[Source, ...]) -> None:
    """What the image has besides its packages."""
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in MASKED:
        (units / unit).symlink_to("/dev/null")
    config = root / "etc/cloud/cloud.cfg.d/99_cluster_sim.cfg"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(CLOUD_CONFIG, indent=1) + "\n")
    for key in {source.signed_by for source in sources if source.signed_by}:
        # The distribution's own keys come with its packages anyway; a site's own come from here.
        copy = root / key.lstrip("/")
        if not copy.exists() and Path(key).is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(key, copy)


def _pack(root: Path, tar: Path) -> None:
    words = ["tar", "-C", str(root), "--owner=0", "--group=0", "--mode=u=rwX,go=rX", "-cf", str(tar), "."]
    subprocess.run(words, check=True, capture_output=True)


def _run(words: list[str], say: Say, scratch: Path) -> None:
    """Runs mmdebstrap, saying each of its steps, and that it goes on when it is silent."""
    log = scratch / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    started = spoken = time.monotonic()
    told = 0
    while time.monotonic() - started < BUILD_SECONDS_MAX:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        steps = re.findall(r"^I: (\w+ing .+?)\.*$", log.read_text(errors="replace"), re.MULTILINE)
        for step in steps[told:]:
            if "tempdir" not in step:
                say(f"Base image: {step}.")
                spoken = time.monotonic()
        told = len(steps)
        if process.returncode is not None:
            break
        if time.monotonic() - spoken > QUIET_SECONDS_MAX:
            say(f"Base image: still at it after {time.monotonic() - started:.0f} s.")
            spoken = time.monotonic()
    else:
        process.terminate()
        process.wait(30)
    if process.returncode != 0:
        last = [line for line in log.read_text(errors="replace").splitlines() if line[:2] in ("E:", "W:")][-4:]
        raise GuestProblem(f"mmdebstrap could not build the guests' base image: {' '.join(last) or 'it said nothing'}")


@contextlib.contextmanager
def _package_proxy() -> Iterator[str]:
    """The guests' package proxy, for the time of the build: so their first installs find in the cache what the image is made of."""
    gate = socket.create_server(("127.0.0.1", 0), backlog=64)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serve_apt(gate):
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="package-proxy", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{gate.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


@contextlib.contextmanager
def _locked(file: Path, say: Say) -> Iterator[None]:
    with file.open("w") as lock:
        waited = 0.0
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waited > BUILD_SECONDS_MAX:
                    raise GuestProblem(
                        f"Another process has held {file} for {BUILD_SECONDS_MAX} s. Stop it and start again."
                    ) from None
                if waited % QUIET_SECONDS_MAX == 0:
                    say(f"Another process is building the guests' base image; waiting for it ({waited:.0f} s).")
                time.sleep(0.5)
                waited += 0.5
        yield
