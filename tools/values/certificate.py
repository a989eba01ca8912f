"""What a placement claims, in figures that a second program can check without the rules that made it: per node before and after, and where
everybody goes when a node is lost. Memory in MiB, disks in GiB, processors in threads."""

from __future__ import annotations

from tools.values.value import Value


class NodeRoom(Value):
    """Memory holds when the larger of `promised + new` and `used + new - old` still holds with `reserved`; processors are a plain sum."""

    name: str
    memory_mib: int
    """All that it has."""
    memory_mib_max: int
    promised_mib: int
    """To guests of others, by the site's policy."""
    used_mib: int
    """The 95th percentile of the history."""
    reserved_mib: int
    new_mib: int
    old_mib: int
    """What the machines of the plan that exist have already."""
    cpu_count: int
    cpu_max: float
    cpu_used: float
    """By history, and in full what is younger."""
    cpu_reserved: int
    cpu_new: int
    """What the plan adds."""
    memory_before_mib: int
    memory_after_mib: int


class StorageRoom(Value):
    name: str
    node: str
    """Empty: it is shared."""
    gib_max: int
    used_gib: int
    reserved_gib: int
    new_gib: int


class Move(Value):
    who: str
    memory_mib: int
    to: str
    """Empty: there is no place for it."""


class Lost(Value):
    """A node is lost, and everybody on it is placed elsewhere."""

    node: str
    moves: tuple[Move, ...]


class Certificate(Value):
    nodes: tuple[NodeRoom, ...]
    storages: tuple[StorageRoom, ...]
    losses: tuple[Lost, ...]
    """Of each node of a small cluster; of a larger one, of the nodes that the plan touches."""
    all_carried: bool
    """Nobody is without a place whichever of these nodes is lost."""
