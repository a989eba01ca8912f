"""How what was said of a Kubernetes cluster becomes typed needs, where Azure runs it. Which size its nodes have is decided in choices."""

from __future__ import annotations

import re

from tools.capabilities.k3s_cluster.facts import COUNT, WANTED, WORKERS
from tools.rules.azure.facts import read_alert_email, read_common, read_group, refuse_places_of_clusters
from tools.rules.azure.kubernetes import number, read_api_ranges
from tools.rules.azure.placing import read_name
from tools.rules.azure.sizes import assumed
from tools.rules.hearing.tokens import quantities
from tools.rules.names import naming
from tools.rules.request.grouping import settle_group_sizes
from tools.rules.request.reading import Reading
from tools.rules.sizing.sizing import Assumption
from tools.values.request import Fact
from tools.values.requirements import Needs, Source
from tools.values.site import Site

NODES_DEFAULT, NODES_MAX = 3, 100
MAKE = "AKS"
_POOLS = Source(title="learn.microsoft.com, Manage system node pools in AKS", date="2026-11-29", grade="vendor")
NODE_CPU = Assumption(4, 2, 16, "What will run there was not said; Microsoft asks for 4 where system pods run, too.", _POOLS)
NODE_MEMORY_MIB = assumed(16 * 1024, 4 * 1024, 64 * 1024, "What will run there was not said.")
NODE_DISK_GIB = assumed(128, 30, 1024, "The system, and the images of what runs there; volumes are disks of their own.")
LOG_GB = assumed(30, 5, 150, "Logs a month; the workspace takes no more than its daily cap.")
EGRESS_GB = assumed(100, 10, 1000, "Images and packages through the NAT gateway a month.")


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("k3s_cluster", "azure", WANTED, facts)
    if "managed_kubernetes" in reading.facts:
        reading.facts.read.add("distribution")
        reading.said("managed_kubernetes", MAKE)
    else:
        reading.refuse_other_makes("distribution", MAKE, "In Azure it is Azure's own Kubernetes (AKS), and not {other}. Say AKS")
        reading.assumed("managed_kubernetes", MAKE, "In Azure it is the Kubernetes that Azure runs; k3s is made on a cluster of your own.")
    read_common(reading, site, "k8s")
    read_name(reading, "resource_group", "resource_group")
    refuse_places_of_clusters(reading)
    _read_nodes(reading)
    settle_group_sizes(reading, WORKERS.name, NODE_CPU, NODE_MEMORY_MIB, NODE_DISK_GIB)
    if "high_availability" in reading.facts:
        reading.said("high_availability", True)
    _read_release(reading)
    # Azure gives its machines their addresses, so any that are said are those that reach the API.
    read_api_ranges(reading, "api_ranges" if "api_ranges" in reading.facts else "address")
    read_group(reading, "administrators")
    read_alert_email(reading)
    reading.suppose("log_gb", LOG_GB, "GB a month")
    reading.suppose("egress_gb", EGRESS_GB, "GB a month")
    return reading.needs()


def _read_nodes(reading: Reading) -> None:
    # How many servers there are is Azure's affair, and what is installed inside the operator's: what is not read is told as left out.
    fact = f"{WORKERS.name}_count" if f"{WORKERS.name}_count" in reading.facts else COUNT
    nodes = reading.count(fact, "nodes", 1, NODES_MAX, f"Berth makes clusters with 1 to {NODES_MAX} nodes in Azure.")
    if nodes is not None:
        reading.said("nodes", nodes, "nodes", fact=fact)
    elif fact not in reading.facts:
        reading.default("nodes", NODES_DEFAULT, "Three nodes, so that one can be taken out of service.", "nodes")
    most = nodes or NODES_DEFAULT
    # Of `2 to 5 nodes` the fact itself is the upper end.
    least = quantities.low_end(reading.facts[fact].quote) if nodes is not None else None
    scaled = "autoscaling" in reading.facts and reading.facts["autoscaling"].value == "yes"
    if least is not None and 1 <= least < most:
        reading.said("nodes_least", least, "nodes", fact=fact)
    elif scaled and most > 1:
        because = "How many at the least was not said; say `2 to 5 nodes`."
        reading.assumed("nodes_least", min(2, most - 1), because, "nodes", low=1, high=most, source=LOG_GB.source)


def _read_release(reading: Reading) -> None:
    fact = next((one for one in ("kubernetes_version", "release") if one in reading.facts), "")
    if not fact:
        return
    said = reading.facts[fact].value.strip()
    if re.fullmatch(r"v?1\.\d{1,3}(\.\d{1,3})?", said):
        reading.said("release", ".".join(map(str, number(said))), fact=fact)
    else:
        shown = naming.shorten(said)
        reading.refuse(f"{shown} is no release of Kubernetes in Azure. Say one such as 1.34; patches come by themselves.", fact)
