"""The command line of the simulated world: `python -m cluster_sim serve WORLD.yaml`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

WORLDS = Path(__file__).parent / "worlds"

_ABOUT = """\
Serves a simulated Proxmox VE cluster (and, if the world has one, a simulated Azure subscription) on 127.0.0.1 over HTTPS.

When everything is ready, one line of JSON on stdout says where: the CA to trust (ca_file), a Terraform provider mirror
(mirror), and addresses with credentials (proxmox, azure). Progress goes to stderr. Ctrl-C or SIGTERM stops it.
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cluster_sim", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--from-scan",
        type=Path,
        metavar="FILE",
        help="prints a world like the cluster of a run: its made-from.json.gz, or a snapshot as JSON",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    worlds = ", ".join(sorted(p.name for p in WORLDS.glob("*.yaml")))
    command = commands.add_parser(
        "serve",
        help="serve a world until stopped",
        description=_ABOUT,
        epilog=f"Worlds that come with it, in {WORLDS}: {worlds}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("worlds", nargs="+", type=Path, metavar="WORLD.yaml", help="world files; several make one world, later ones win")
    command.add_argument("--port", type=int, default=0, help="port of the Proxmox API (default: a free one)")
    command.add_argument(
        "--guests",
        choices=("auto", "pod", "emulated", "none"),
        default="auto",
        help="body of a started guest: a system container (pod), an emulated SSH server, or nothing (default: the best that works here)",
    )
    command.add_argument(
        "--folder",
        type=Path,
        help="keeps CA, mirror and the state of the cluster between starts (default: a temporary folder, removed at the end)",
    )
    command.add_argument(
        "--time",
        type=_factor,
        metavar="wall|FACTOR",
        help="how many times faster tasks go than on a real cluster (wall or 1: as there; default: as the world says)",
    )
    given = parser.parse_args(arguments)
    if given.from_scan is not None:
        return _from_scan(given.from_scan)
    if given.command is None:
        parser.error("say a COMMAND, such as serve")
    # Told to stop while it is still loading, it just ends: nothing is open yet. serve() takes over from here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from .serve import CannotServe, Settings, serve
    from .world import BadWorld, read_world

    try:
        world = read_world(*given.worlds)
        serve(world, Settings(given.port, given.guests, given.folder, given.time))
    except BadWorld as bad:
        print("This world cannot be:\n" + "\n".join(f"- {p}" for p in bad.problems), file=sys.stderr)
        return 2
    except CannotServe as why:
        print(why, file=sys.stderr)
        return 1
    return 0


def _from_scan(file: Path) -> int:
    from .from_scan import NoScan, world_of

    try:
        print(world_of(file.read_bytes()), end="")
    except (OSError, NoScan) as why:
        print(why, file=sys.stderr)
        return 1
    return 0


def _factor(text: str) -> float:
    if text == "wall":
        return 1.0
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is neither `wall` nor a factor like 10")
    return factor


if __name__ == "__main__":
    sys.exit(main())
