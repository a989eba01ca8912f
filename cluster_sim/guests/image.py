"""The base image of guests with a body: a Debian (or Ubuntu) cloud image, built once by mmdebstrap and kept in the cache folder.

It is what an operator's template has in it (systemd, cloud-init, sshd, python3) and nothing the roles are there to install.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cluster_sim
from cluster_sim.guests.apt_proxy import cache_folder, serve_apt
from cluster_sim.guests.namespaces import id_range
from cluster_sim.guests.sources import MIRROR_VARIABLE, Source, machine_sources, suite_of
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
TERMINATE_SECONDS_MAX = 30
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


def image_folder(say: Say) -> Path:
    """The unpacked image for this user, built now when it is not there."""
    if (built := built_image()) is not None:
        return built
    sources = machine_sources()
    if not sources:
        raise GuestProblem(
            f"This machine's apt sources name no archive of its distribution. Name one: {MIRROR_VARIABLE}=http://your.mirror/debian"
        )
    folder = _folder_for(sources)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / "lock", say):
        if not folder.is_dir():
            for left in folder.parent.glob("*.part"):
                remove_tree(left)  # of a builder that was killed: while this lock is held there is no other
            started = time.monotonic()
            say("Building the guests' base image from this machine's own apt sources. That is done once and takes about a minute.")
            _build(folder, sources, say)
            say(f"The base image is ready after {time.monotonic() - started:.0f} s.")
    return folder


def built_image() -> Path | None:
    """The image if it is already there. Its folder gets its name only when it is whole."""
    folder = _folder_for(machine_sources())
    return folder if folder.is_dir() else None


def _folder_for(sources: tuple[Source, ...]) -> Path:
    return cache_folder() / "images" / recipe_digest(sources)


def recipe_digest(sources: tuple[Source, ...]) -> str:
    """Over all that makes the image what it is, and whose ids its files belong to."""
    ids = id_range()
    whose = ids if isinstance(ids, str) else f"{ids.root} {ids.uid_first + (not ids.with_own_id)}"
    recipe = [_words(sources, "PROXY", Path("EXTRAS")), _extras(), whose]
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]


def _words(sources: tuple[Source, ...], proxy: str, extras: Path) -> list[str]:
    """The command that builds the image and writes it to its output as tar."""
    words = ["mmdebstrap", "--variant=minbase", "--format=tar", f"--include={','.join(PACKAGES)}"]
    words += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    words += ["--dpkgopt=force-unsafe-io", '--aptopt=Acquire::Languages "none"', f'--aptopt=Acquire::http::Proxy "{proxy}"']
    # The guests find their own proxy; this one is gone by then.
    words += ['--customize-hook=sed -i /Proxy/d "$1/etc/apt/apt.conf.d/99mmdebstrap"']
    words += ['--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname" "$1/etc/resolv.conf"']
    words += ['--customize-hook=: > "$1/etc/machine-id"', f"--customize-hook=tar-in {extras} /"]
    return [*words, suite_of(sources), "-", *(source.line(source.plain_uri) for source in sources)]


def _extras() -> dict[str, str]:
    """What the image has besides its packages: each path with its text, or where it links to (`-> …`)."""
    extras = {f"etc/systemd/system/{unit}": "-> /dev/null" for unit in MASKED}
    extras["etc/cloud/cloud.cfg.d/99_cluster_sim.cfg"] = json.dumps(CLOUD_CONFIG, indent=1) + "\n"
    return extras


def _build(folder: Path, sources: tuple[Source, ...], say: Say) -> None:
    with tempfile.TemporaryDirectory(prefix="cluster_sim-image-") as place, _package_proxy() as proxy:
        scratch = Path(place)
        extras = scratch / "extras.tar"
        _write_extras(extras, sources)
        part = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.part")
        part.mkdir()
        try:
            _run(_words(sources, proxy, extras), part, say, scratch / "log")
            part.rename(folder)
        except BaseException:
            remove_tree(part)
            raise


def remove_tree(folder: Path) -> None:
    """Removes what belongs to ids only the guests' user namespace may touch."""
    with _as_guest_root(["find", ".", "-mindepth", "1", "-delete"], folder, subprocess.DEVNULL, subprocess.DEVNULL) as process:
        process.wait(BUILD_SECONDS_MAX)
    shutil.rmtree(folder, ignore_errors=True)


def _as_guest_root(words: list[str], folder: Path, stdin: Any, log: Any) -> subprocess.Popen[bytes]:
    source = str(Path(cluster_sim.__file__).parents[1])
    command = [sys.executable, "-X", "utf8", "-m", "cluster_sim.guests.mapped", str(folder), *words]
    return subprocess.Popen(command, stdin=stdin, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": source})


def _write_extras(tar: Path, sources: tuple[Source, ...]) -> None:
    with tarfile.open(tar, "w") as out:
        for path, text in _extras().items():
            member = tarfile.TarInfo(path)
            if text.startswith("-> "):
                member.type, member.linkname = tarfile.SYMTYPE, text.removeprefix("-> ")
                out.addfile(member)
            else:
                member.size = len(text.encode())
                out.addfile(member, io.BytesIO(text.encode()))
        for key in sorted({source.signed_by for source in sources if source.signed_by}):
            # The distribution's own keys come with its packages anyway; a site's own come from here.
            out.add(key, key.lstrip("/"))


def _run(words: list[str], folder: Path, say: Say, log: Path) -> None:
    """Runs mmdebstrap and unpacks what it makes, saying each of its steps, and that it goes on when it is silent."""
    mode = f"--mode={'root' if os.geteuid() == 0 else 'unshare'}"
    with log.open("wb") as out:
        maker = subprocess.Popen([words[0], mode, *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out)
        # Inside the guests' user namespace, so that root's files belong to the guests' root.
        unpacker = _as_guest_root(["tar", "-x", "--exclude=./dev/*", "-p", "--numeric-owner"], folder, maker.stdout, out)
    assert maker.stdout is not None
    maker.stdout.close()
    try:
        _narrate(maker, unpacker, say, log)
    finally:
        for process in (maker, unpacker):
            if process.poll() is None:
                process.terminate()
                process.wait(TERMINATE_SECONDS_MAX)
    if maker.returncode != 0 or unpacker.returncode != 0:
        last = [line for line in log.read_text(errors="replace").splitlines() if line[:2] in ("E:", "W:") or line.startswith("tar:")][-4:]
        raise GuestProblem(f"mmdebstrap could not build the guests' base image: {' '.join(last) or 'it said nothing'}")


def _narrate(maker: subprocess.Popen[bytes], unpacker: subprocess.Popen[bytes], say: Say, log: Path) -> None:
    started = spoken = time.monotonic()
    told = 0
    while time.monotonic() - started < BUILD_SECONDS_MAX:
        with contextlib.suppress(subprocess.TimeoutExpired):
            (unpacker if unpacker.returncode is None else maker).wait(0.5)
        steps = re.findall(r"^I: (\w+ing (?:(?!tempdir|hook).)+?)\.*$", log.read_text(errors="replace"), re.MULTILINE)
        for step in steps[told:]:
            say(f"Base image: {step}.")
            spoken = time.monotonic()
        told = len(steps)
        if unpacker.returncode is not None and maker.poll() is not None:
            return
        if time.monotonic() - spoken > QUIET_SECONDS_MAX:
            say(f"Base image: still at it after {time.monotonic() - started:.0f} s.")
            spoken = time.monotonic()


@contextlib.contextmanager
def _package_proxy() -> Iterator[str]:
    """The guests' package proxy while the image is built: their first installs find in its cache what the image is made of."""
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
                    raise GuestProblem(f"Another process has held {file} for {BUILD_SECONDS_MAX} s. Stop it and start again.") from None
                if waited % QUIET_SECONDS_MAX == 0:
                    say(f"Another process is building the guests' base image; waiting for it ({waited:.0f} s).")
                time.sleep(0.5)
                waited += 0.5
        yield
