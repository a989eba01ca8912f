"""Bodies for simulated guests: something a started VM really is, so that SSH and Ansible find a machine there.

`open_bodies` is the whole interface; which body it is, pod.py (system containers), emulated/ (a modelled host) or none.py, nobody
else asks.
"""

from __future__ import annotations

from ipaddress import IPv4Interface
from pathlib import Path
from typing import TYPE_CHECKING

from cluster_sim.guests.values import Bodies, Executed, GuestProblem, GuestSpec, Say

if TYPE_CHECKING:
    from cluster_sim.guests.probe import Finding

__all__ = ["KINDS", "Bodies", "Executed", "GuestProblem", "GuestSpec", "chosen_kind", "open_bodies"]

KINDS = ("auto", "pod", "emulated", "none")


def open_bodies(kind: str, folder: Path, networks: tuple[IPv4Interface, ...], say: Say, *, keep: bool = True) -> Bodies:
    """Makes ready what gives guests a body. `networks` has each network's gateway address; `folder` is this simulator's own.

    `kind` is one of KINDS; auto takes a pod where this machine can have one, and says why or why not. With `keep` the guests'
    disks stay in the folder at `close`, and the next to open it finds them; guests are shut down in order.
    """
    # Imported when needed: the first two need Linux, the third asyncssh, and most worlds in tests need none.
    if kind == "none":
        from cluster_sim.guests.none import NoBodies

        return NoBodies()
    if kind == "emulated":
        return _emulated(folder, keep)
    if kind not in KINDS:
        raise GuestProblem(f"There is no body called {kind}. Say one of {', '.join(KINDS)}.")
    from cluster_sim.guests.probe import probe

    chosen, why = chosen_kind(probe(folder))
    if kind == "auto":
        say(why)
    elif chosen != "pod":
        raise GuestProblem(why)
    if chosen == "pod":
        try:
            return _pod(folder, networks, say, keep)
        except GuestProblem as problem:
            if kind == "pod":
                raise
            say(f"{problem} Guests are emulated instead: SSH and Ansible answer from a model, and nothing is executed.")
    return _emulated(folder, keep)


def chosen_kind(found: tuple[Finding, ...]) -> tuple[str, str]:
    """The body the findings allow, and why in one sentence."""
    bad = next((finding for finding in found if not finding.good), None)
    if bad is None:
        return "pod", "Guests are system containers with a real systemd: this machine has all that needs."
    return (
        "emulated",
        f"Guests are emulated (SSH and Ansible answer from a model, nothing is executed), for want of {bad.what}: {bad.why}",
    )


def _pod(folder: Path, networks: tuple[IPv4Interface, ...], say: Say, keep: bool) -> Bodies:
    from cluster_sim.guests.image import image_folder
    from cluster_sim.guests.pod import PodBodies

    return PodBodies(folder, image_folder(say), networks, keep=keep)


def _emulated(folder: Path, keep: bool) -> Bodies:
    from cluster_sim.guests.emulated import EmulatedBodies

    return EmulatedBodies(folder, keep=keep)
