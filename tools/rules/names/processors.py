"""Types of processors that machines are given: what a node's flags allow, and which one is taken where nobody says one.

The flags are those of qemu-server's own models (`$builtin_models` of PVE/QemuServer/CPUConfig.pm, read 2026-11-30), as /proc/cpuinfo names
them. A guest whose node lacks one of them does not start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tools.values.snapshot import Node

USUAL = "x86-64-v2-AES"
"""What Proxmox VE itself gives a new machine (pve-docs, qm.adoc)."""
HOST = "host"
_V2 = frozenset({"pni", "popcnt", "sse4_1", "sse4_2", "ssse3"})
_V3 = _V2 | {"abm", "aes", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}
FLAGS = {
    "kvm64": frozenset[str](),
    "x86-64-v2": _V2,
    USUAL: _V2 | {"aes"},
    "x86-64-v3": _V3,
    "x86-64-v4": _V3 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"},
}
"""What each needs, the most able last."""
ANYWHERE = (HOST, "max", "qemu64")
"""They start on any node."""
TYPES = (*FLAGS, *ANYWHERE)


def types_of(flags: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name, needed in FLAGS.items() if needed <= frozenset(flags)) if flags else ()


def serves(node: Node, cpu_type: str) -> bool:
    return not node.cpu_types or cpu_type in ANYWHERE or cpu_type in node.cpu_types


def choose(nodes: Iterable[Node]) -> str:
    """The usual one, or the most able below it that each of these nodes can give: a machine may have to move."""
    known = [node for node in nodes if node.online and node.cpu_types]
    names = list(FLAGS)
    able = names[: names.index(USUAL) + 1]
    return next(name for name in reversed(able) if all(serves(node, name) for node in known))


def spelled(name: str) -> str:
    """As Proxmox VE spells it, however it was typed; empty for one that is not known."""
    return next((one for one in TYPES if one.lower() == name.strip().lower()), "")
