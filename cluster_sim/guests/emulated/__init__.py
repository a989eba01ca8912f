"""Guests without a body: a real SSH server for each, and a model of a Debian host behind it. It executes nothing, and says everywhere that it is emulated."""

from cluster_sim.guests.emulated.server import EmulatedBodies

__all__ = ["EmulatedBodies"]
