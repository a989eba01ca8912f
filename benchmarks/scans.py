"""A look at clusters of several sizes: how long it takes, how many calls it makes, and what of the time is Berth's own.

The worlds are made here, with a seed, in the size of findings that were measured beside other tools; the simulator shares the machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from os import getloadavg
from pathlib import Path
from typing import Any

import requests
import yaml

from benchmarks.bench import Bench
from benchmarks.rows import Row, median
from benchmarks.spans import covered, requests_timed
from cluster_sim.run import settings as settings_of
from cluster_sim.run import world
from tools.clients.together import WORKERS_MAX

LOOKS = 5
NETWORK = "20"
SIZES = ((16, 466, 1.0), (50, 1500, 1.5))
"""(nodes, guests, seconds at most)"""
STEADY = {"cpu": 0.2, "memory": 0.5}


def scanning(bench: Bench) -> Iterator[Row]:
    from tools.clients.settings import Settings

    yield from _looks(Settings.from_environment(), "four nodes", None)
    for nodes, guests, seconds_max in SIZES:
        folder = bench.folder / f"scan-{nodes}"
        folder.mkdir()
        file = folder / "world.yaml"
        file.write_text(yaml.safe_dump(cluster(nodes, guests, random.Random(nodes)), sort_keys=False))  # noqa: S311
        with world([str(file)], folder / "world", guests="none") as ready:
            yield from _looks(_settings(ready, folder), f"{nodes} nodes with {guests:,} guests", seconds_max)


def _settings(ready: dict[str, Any], folder: Path) -> Any:
    from tools.clients.settings import Settings

    given = settings_of(ready, folder)
    return Settings.from_environment(given)


def _looks(settings: Any, name: str, seconds_max: float | None) -> Iterator[Row]:
    """As a plan for a VLAN with guests on it looks; and as one that gives addresses does, which needs every guest's configuration."""
    from tools.values.requirements import Field, Needs, Origin

    said = Field(name="network", value=NETWORK, origin=Origin.SAID)
    for_a_plan = (Needs(capability="virtual_machine", platform="proxmox", fields=(said,)),)
    yield from _look(settings, f"scan of {name}", for_a_plan, seconds_max)
    if seconds_max is not None:
        yield from _look(settings, "the same with every guest's configuration", None, None)


def _look(settings: Any, name: str, needs: Any, seconds_max: float | None) -> Iterator[Row]:
    from tools.pipeline.platforms.proxmox import scan
    from tools.values.site import Site

    scan(settings, datetime.now(UTC), Site(), needs=needs)  # Once for the caches.
    took, own, cpu, bare, bare_cpu, calls = [], [], [], [], [], 0
    for _ in range(LOOKS):
        with requests_timed() as spans:
            began, of_processor = time.time(), time.process_time()
            scan(settings, datetime.now(UTC), Site(), needs=needs)
            ended, used = time.time(), time.process_time()
        took.append(ended - began)
        own.append(ended - began - covered(spans, began, ended))
        cpu.append(used - of_processor)
        calls = len(spans)
        began, of_processor = time.time(), time.process_time()
        _call_bare(settings, [span.address for span in spans])
        bare.append(time.time() - began)
        bare_cpu.append(time.process_time() - of_processor)
    beside = f"{calls} calls by `requests`, {WORKERS_MAX} side by side"
    yield Row(name, median(took), "s", limit=seconds_max, note=f"{calls} calls; {beside}: {median(bare):.2f} s. Load {getloadavg()[0]:.1f}")
    yield Row("of it Berth's own code", median(own), "s")
    yield Row("processor time of it", median(cpu) * 1000, "ms", floor=median(bare_cpu) * 1000, floor_name="those calls")


def _call_bare(settings: Any, addresses: list[str]) -> None:
    """The floor: the same calls on connections that are kept, with nothing made of the answers."""
    token = settings.proxmox_api_token.get_secret_value()
    with requests.Session() as session, ThreadPoolExecutor(WORKERS_MAX) as pool:
        session.headers["Authorization"] = f"PVEAPIToken={token}"
        for answer in pool.map(partial(session.get, verify=str(settings.ca_file)), addresses):
            answer.raise_for_status()


def cluster(nodes: int, guests: int, chance: random.Random) -> dict[str, Any]:
    """A world of alike nodes on shared storage, with guests of everyday sizes."""
    names = [f"pve{number:04}" for number in range(1, nodes + 1)]
    sizes = [(1, 2, 16), (2, 4, 32), (2, 8, 40), (4, 8, 60), (4, 16, 100)]
    made = {}
    for number in range(guests):
        cores, memory, disk = chance.choice(sizes)
        made[100 + number] = {
            "name": f"guest-{number:05}",
            "node": names[number % nodes],
            "running": True,
            "cores": cores,
            "memory_gib": memory,
            "disks": [{"storage": "shared", "size_gib": disk}],
            "bridge": "vmbr0",
            "tag": 20,
            "load": STEADY,
        }
    node = {"model": "AMD EPYC 9354 32-Core Processor", "mhz": 3250, "cores": 32, "threads": 64, "memory_gib": 512, "memory_base_gib": 12}
    return {
        "name": f"{nodes} nodes",
        "proxmox": {
            "cluster": "many",
            "version": "9.2.2",
            "seed": nodes,
            "nodes": {name: {"address": f"10.1.{i // 250}.{i % 250 + 1}", "up_days": 30, **node} for i, name in enumerate(names)},
            "storages": {
                "local": {"type": "dir", "content": ["iso", "vztmpl"], "total_gib": 94, "settings": {"path": "/var/lib/vz"}},
                "shared": {"type": "rbd", "content": ["images"], "total_gib": 60 * guests, "settings": {"pool": "vm"}},
            },
            "bridges": {"vmbr0": {"vlan_aware": True}},
            "guests": made,
            "users": {"berth@pve": {"tokens": {"berth": {"secret": "be27ab1e-0000-4000-8000-000000000003", "separate": False}}}},
            "grants": [{"path": "/", "to": "berth@pve", "role": "PVEAuditor"}],
            "ready_token": "berth@pve!berth",
        },
    }
