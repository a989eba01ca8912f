"""Raw answers become values: tables, and no answer that breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.rules.machines import seeing
from tools.rules.names import scanned
from tools.values.snapshot import Load

SHARED = frozenset({"ceph-vm", "nfs"})
ROW = {"vmid": 9000, "name": "debian-12", "node": "pve1", "tags": "golden;ubuntu"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"scsi0": "ceph-vm:base-9000-disk-0,size=3G", "boot": "order=scsi0"}, ("scsi0", 3, ("ceph-vm",), True, False)),
        ({"virtio0": "local-lvm:base-9000-disk-0,size=3584M"}, ("virtio0", 4, ("local-lvm",), False, False)),
        (
            {"scsi0": "ceph-vm:d,size=1T", "ide2": "local-lvm:vm-9000-cloudinit,media=cdrom"},
            ("scsi0", 1024, ("ceph-vm", "local-lvm"), False, True),
        ),
        ({"scsi0": "ceph-vm:d,size=2G", "ide2": "nfs:iso/debian.iso,media=cdrom"}, ("scsi0", 2, ("ceph-vm", "nfs"), True, False)),
        ({"scsi0": "ceph-vm:a,size=2G", "scsi1": "ceph-vm:b,size=9G", "boot": "order=scsi1;net0"}, ("scsi1", 9, ("ceph-vm",), True, False)),
        ({"ide2": "none,media=cdrom", "scsi0": "ceph-vm:d,size=2G", "boot": "order=ide2;scsi0"}, ("scsi0", 2, ("ceph-vm",), True, False)),
        ({"scsi0": "ceph-vm:d,size=2G", "efidisk0": "local:x,size=4M"}, ("scsi0", 2, ("ceph-vm", "local"), False, False)),
        ({"scsi0": "ceph-vm:d"}, ("scsi0", 0, ("ceph-vm",), True, False)),
        ({"ide2": "none,media=cdrom"}, None),
        ({}, None),
    ],
)
def test_templates(config: dict[str, str], expected: tuple[object, ...] | None) -> None:
    template = seeing.template(ROW, config, SHARED)
    if expected is None:
        assert template is None
    else:
        assert template is not None
        assert (template.disk_interface, template.disk_gib, template.storages, template.shared, template.cloud_init) == expected
        assert template.os == "debian"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shop-db", "shop-db"),
        ("Intel(R) Xeon(R) @ 2.60GHz", "Intel(R) Xeon(R) @ 2.60GHz"),
        ("a\nb", "a\\x0ab"),
        ("{{7*7}}", "\\x7b\\x7b7\\x2a7\\x7d\\x7d"),
        ("çay", "\\xe7ay"),
        ("\u202eevil", "\\u202eevil"),
        ("\x1b[31m", "\\x1b\\x5b31m"),
        ('"', "\\x22"),
        ("y" * 99, "y" * 64),
        (None, "None"),
    ],
)
def test_names_as_shown(text: object, shown: str) -> None:
    assert scanned.display(text) == shown


def points(minutes: int, step: int = 60) -> list[dict[str, float]]:
    return [{"time": 1_000_000 + n * step, "cpu": (n % 100) / 100, "memused": n % 100} for n in range(minutes * 60 // step)]


@pytest.mark.parametrize(
    ("given_points", "expected"),
    [
        (points(1440), Load(cpu_ratio_p95=0.94, memory_bytes_p95=94, source="rrddata of n, 1 day, 100 % of samples")),
        (
            points(1440, 1800),
            Load(cpu_ratio_p95=0.45, memory_bytes_p95=45, source="rrddata of n, 1 day, 100 % of samples, averages of 30 min"),
        ),
        (points(1000), Load(cpu_ratio_p95=0.94, memory_bytes_p95=94, source="rrddata of n, 1 day, 69 % of samples")),
        (points(600), Load(cpu_ratio_p95=None, memory_bytes_p95=None, source="rrddata of n, 1 day, 42 % of samples")),
        ([{"time": t} for t in range(1440)], Load(cpu_ratio_p95=None, memory_bytes_p95=None, source="rrddata of n, 1 day, 0 % of samples")),
        ([], Load(cpu_ratio_p95=None, memory_bytes_p95=None, source="rrddata of n, 1 day, 0 % of samples")),
    ],
)
def test_the_last_day_of_a_node(given_points: list[dict[str, float]], expected: Load) -> None:
    assert seeing.load_of_day("n", given_points) == expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["size=5G", "20", "net0", "a:b,size=1T"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "node",
        "vmid",
        "name",
        "tags",
        "maxcpu",
        "cpu",
        "maxmem",
        "storage",
        "content",
        "total",
        "status",
        "type",
        "iface",
        "cidr",
        "vnet",
        "tag",
        "zone",
        "alias",
        "subnet",
        "net0",
        "scsi0",
        "boot",
        "ide2",
        "time",
        "memused",
        "shared",
        "active",
        "enabled",
        "ostype",
        "nodes",
    ]
)
ROWS = st.dictionaries(KEYS, JSON, max_size=10)


@settings(max_examples=60)
@given(ROWS, st.lists(ROWS, max_size=3), JSON)
def test_no_answer_breaks_it(row: dict[str, object], several: list[dict[str, object]], anything: object) -> None:
    scanned.rows(anything)
    seeing.guest(row)
    seeing.storage(row, "pve1")
    seeing.node(row, None, str(anything), answers=True)
    seeing.template(row, row, SHARED)
    bridges = list(seeing.bridges({"pve1": several}))
    sdn = seeing.vnets(several, {"lan": row}, {}, ("pve1",))
    seeing.named_once([*bridges, *sdn, *seeing.tagged({1: row}, bridges, {})])
    seeing.load_of_day("pve1", several)
    seeing.subnet(row)


@pytest.mark.parametrize(
    ("flags", "most_able"),
    [
        ("", None),
        ("fpu sse2 pni", "kvm64"),
        ("pni popcnt sse4_1 sse4_2 ssse3", "x86-64-v2"),
        ("pni popcnt sse4_1 sse4_2 ssse3 aes", "x86-64-v2-AES"),
    ],
)
def test_types_of_processors_follow_from_the_flags(flags: str, most_able: str | None) -> None:
    node = seeing.node({"node": "pve1", "status": "online"}, None, "", answers=True, flags=flags)
    assert (node.cpu_types[-1] if node.cpu_types else None) == most_able
