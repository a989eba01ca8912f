"""Bodies for simulated guests: something a started VM really is, so that SSH and Ansible find a machine there.

`open_bodies` is the whole interface; which body it is, pod.py (system containers), emulated/ (a modelled host) or none, nobody else asks.
"""

from __future__ import annotations

from ipaddress import IPv4Interface
from pathlib import Path

from cluster_sim.guests.values import Bodies, Executed, GuestProblem, GuestSpec, Say

__all__ = ["Bodies", "Executed", "GuestProblem", "GuestSpec", "open_bodies"]


def open_bodies(kind: str, folder: Path, networks: tuple[IPv4Interface, ...], say: Say) -> Bodies:
    """Makes ready what gives guests a body. `networks` has each network's gateway address; `folder` is this simulator's own.

    `kind` is auto, pod, emulated or none; auto takes a pod where this machine can have one and says why.
    """
    from cluster_sim.guests.image import image_folder
    from cluster_sim.guests.pod import PodBodies

    return PodBodies(folder, image_folder(say), networks)
