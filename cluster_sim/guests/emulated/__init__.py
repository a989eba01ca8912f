"""Guests without a body: a real SSH server for each, and a model of a Debian host behind it.

It runs no program, and says everywhere that it is emulated. It knows what the playbooks under `ansible/` need of a host and
nothing else: what it does not know it refuses by name, so that no answer is a guess. A guest with a body (pod.py) runs
everything.
"""

from cluster_sim.guests.emulated.server import EmulatedBodies

__all__ = ["EmulatedBodies"]
