"""Types of processors that a guest may be given, and what each needs of its node. QEMU is started with `enforce`, so a node that lacks a
flag does not start the guest. The flags are those of qemu-server's own models (`$builtin_models` of PVE/QemuServer/CPUConfig.pm, read
2026-11-30), as /proc/cpuinfo names them.
"""

from __future__ import annotations

from collections.abc import Collection

_V2 = ("pni", "popcnt", "sse4_1", "sse4_2", "ssse3")
_V3 = ("abm", "aes", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", *_V2, "xsave")
FLAGS = {
    "x86-64-v2": _V2,
    "x86-64-v2-AES": ("aes", *_V2),
    "x86-64-v3": _V3,
    "x86-64-v4": (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"),
}
CPU_TYPES = ("host", "kvm64", "max", "qemu64", *FLAGS)


def missing(cpu: str, flags: Collection[str]) -> list[str]:
    """Of a guest's line `cpu: x86-64-v2-AES,flags=…`. A type that is not known here needs nothing that could be told."""
    kind = cpu.partition(",")[0].removeprefix("cputype=")
    return [flag for flag in FLAGS.get(kind, ()) if flag not in flags]
