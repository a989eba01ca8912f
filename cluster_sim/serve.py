"""Serves a world until it is told to stop: servers, guests, mirror, and the one line that says where they are.

What the answers are belongs to the services; this file only opens and closes.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from types import FrameType
from typing import Any

from .authority import Authority, make_authority
from .clock import Clock, WallClock
from .guests import Bodies, GuestProblem, open_bodies
from .http import Server
from .tunnel import Tunnel
from .world import World

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    port: int = 0
    guests: str = "auto"
    folder: Path | None = None
    time: float | None = None
    """How many times faster things go; None: as the world says."""


class CannotServe(Exception):
    """Something outside the world is in the way; a whole sentence."""


class _Stop(BaseException):
    """The signal to stop, wherever the main thread is."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def serve(world: World, settings: Settings) -> None:
    """Prints the ready line on stdout, and returns when SIGTERM or SIGINT came and nothing runs any more."""
    stack = ExitStack()
    try:
        _obey(_stop)
        ready = open_world(world, settings, stack)
        print(json.dumps(ready), flush=True)
        say("Ready. Ctrl-C stops the world.")
        while True:
            signal.pause()
    except _Stop:
        say("Stopping.")
    finally:
        # From here on only closing; a second signal must not tear it in the middle.
        _obey(signal.SIG_IGN)
        stack.close()


def _obey(handler: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stop


def open_world(world: World, settings: Settings, stack: ExitStack, clock: Clock | None = None) -> dict[str, Any]:
    """Opens everything; `stack` closes it. Returns what the ready line says."""
    folder = _folder(settings, stack)
    authority = make_authority(folder / "ca")
    clock = clock or WallClock()
    ready: dict[str, Any] = {"ca_file": str(authority.ca_file), "mirror": str(_mirror(folder))}
    guests = _Guests.open(world, settings, folder / "guests", stack)
    if world.proxmox is not None:
        ready["proxmox"] = _open_proxmox(world, settings, folder, authority, clock, stack, guests)
    if world.azure is not None:
        ready["azure"] = _open_azure(world.azure, folder, authority, clock, stack, guests.bodies)
    if guests.bodies.proxy_command:
        ready["guest_proxy_command"] = guests.bodies.proxy_command
    if said := guests.told_of_site(ready.get("azure", {})):
        # JSON is YAML. What else a site would say of itself is the operator's own.
        site_file = folder / "site.yaml"
        site_file.write_text(json.dumps(said, indent=1) + "\n")
        ready["site_file"] = str(site_file)
    return ready


@dataclass(frozen=True)
class _Guests:
    """The bodies of all guests of the world, wherever they stand: they are reached the same way."""

    bodies: Bodies
    gateways: tuple[IPv4Interface, ...]
    closing: ExitStack

    @classmethod
    def open(cls, world: World, settings: Settings, folder: Path, stack: ExitStack) -> _Guests:
        from .azure.machines import GUESTS

        networks = world.proxmox.networks.values() if world.proxmox else ()
        in_azure = (GUESTS,) if world.azure and world.azure.get("operator_network") else ()
        gateways = (*(IPv4Interface(f"{n.gateway}/{IPv4Network(n.subnet).prefixlen}") for n in networks), *in_azure)
        kind = settings.guests if world.proxmox or in_azure else "none"
        try:
            bodies = open_bodies(kind, folder, gateways, say, keep=settings.folder is not None)
        except GuestProblem as why:
            raise CannotServe(str(why)) from None
        closing = ExitStack()
        closing.callback(bodies.close)
        stack.callback(closing.close)
        return cls(bodies, gateways, closing)

    def told_of_site(self, azure: dict[str, Any]) -> dict[str, Any]:
        """What a site of this world would say of itself."""
        from .guests.seed import APT_PROXY_PORT
        from .releases import listed

        network = {"network": {"hub": azure["operator_network"], "reached": True}} if azure.get("operator_network") else {}
        said: dict[str, Any] = {}
        if self.bodies.kind == "pod":
            said["releases"] = listed(f"http://{self.gateways[0].ip}:{APT_PROXY_PORT}")
        if self.bodies.kind != "none" and network:
            ratios = {"production": 0.6, "staging": 0.8, "development": 0.8}
            said["environments"] = [{"name": name, "cpu_ratio_max": ratio, **network} for name, ratio in ratios.items()]
        return said


def _folder(settings: Settings, stack: ExitStack) -> Path:
    if settings.folder is not None:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _lock(settings.folder, stack)
        return settings.folder.resolve()
    folder = Path(tempfile.mkdtemp(prefix="cluster_sim-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _lock(folder: Path, stack: ExitStack) -> None:
    """A folder belongs to one simulator at a time. The lock goes with the process, however that ends."""
    lock = stack.enter_context((folder / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotServe(f"Another simulator already runs in {folder}. Stop it, or choose another --folder.") from None


def _mirror(folder: Path) -> Path:
    from .mirror import lay_out

    return lay_out(folder / "mirror")


def _open_proxmox(
    world: World, settings: Settings, folder: Path, authority: Authority, clock: Clock, stack: ExitStack, guests: _Guests
) -> dict[str, Any]:
    from .proxmox.building import build_cluster
    from .proxmox.front import Front
    from .proxmox.saving import restore, save, wake

    section = world.proxmox
    assert section is not None
    pace = settings.time if settings.time is not None else world.time
    cluster = build_cluster(section, clock, pace=pace, say=say)
    # Closed in the opposite order: bodies first, so that no thread goes on waiting for one.
    stack.callback(cluster.close)
    bodies = cluster.bodies = guests.bodies
    stack.callback(guests.closing.close)
    if settings.folder is not None:
        saved = folder / "proxmox.json"
        if restore(cluster, section, saved):
            say(f"Going on where {saved} left off.")
        wake(cluster)
        stack.callback(save, cluster, section, saved)
    front = Front(cluster)
    front.look_back()
    server = _start(front, authority, "proxmox", settings.port, stack)
    user, _, name = section.ready_token.partition("!")
    ready = {
        "url": f"https://127.0.0.1:{server.port}",
        "token": f"{section.ready_token}={section.users[user].tokens[name].secret}",
        "guest_proxy_command": bodies.proxy_command,
    }
    say(f"{world.name}: {len(section.nodes)} nodes, {len(section.guests)} guests at {ready['url']}; new guests: {bodies.kind}.")
    return ready


def _open_azure(
    section: dict[str, Any], folder: Path, authority: Authority, clock: Clock, stack: ExitStack, bodies: Bodies
) -> dict[str, Any]:
    from .azure import build

    part = build(section, clock, folder / "azure", bodies)
    servers = {name: _start(service, authority, name, 0, stack, part.names.get(name, ())) for name, service in part.services.items()}
    part.bind({name: f"https://127.0.0.1:{server.port}" for name, server in servers.items()})
    tunnel = Tunnel(lambda host: next((servers[name].port for name, resolves in part.resolves.items() if resolves(host)), None)).start()
    stack.callback(tunnel.stop)
    return {**part.ready(), "proxy": f"http://127.0.0.1:{tunnel.port}"}


def _start(service: Any, authority: Authority, name: str, port: int, stack: ExitStack, also: Sequence[str] = ()) -> Server:
    server = Server(service, authority.server_tls(name, also=also), port=port, close_on_error=name == "proxmox")
    try:
        server.start()
    except OSError as why:
        raise CannotServe(f"Port {port} cannot be opened: {why.strerror or why}. Choose another with --port, or leave it out.") from None
    stack.callback(server.stop)
    return server
