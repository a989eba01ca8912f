"""The facts that every request for machines may state, as wanted by the capabilities that make some. How they are read is in `reading`."""

from __future__ import annotations

from tools.rules.request.facts import ENVIRONMENT
from tools.values.wanted import Wanted

NETWORK = Wanted(
    name="network",
    kind="network",
    meaning="the network its machines are on: a name, a VLAN or a bridge of the cluster",
    words=("network", "vlan", "vnet", "bridge", "net"),
    question="Which network should it be on? Say its name, VLAN or bridge.",
    suggestions=("network 20", "vmbr0"),
)
COUNT = Wanted(
    name="count",
    kind="count",
    meaning="how many machines",
    words=("machines", "servers", "vms", "virtual machines", "instances", "nodes", "environments", "databases"),
)
CPU_COUNT = Wanted(
    name="cpu_count",
    kind="count",
    meaning="vCPUs of each machine",
    words=("cores", "core", "vcpus", "vcpu", "cpus", "cpu", "processors"),
    question="How many cores should it have?",
    suggestions=("2 cores", "4 cores", "8 cores"),
)
MEMORY = Wanted(
    name="memory",
    kind="memory",
    meaning="memory of each machine, with its unit",
    words=("memory", "ram"),
    question="How much memory should it have?",
    suggestions=("4 GB", "8 GB", "16 GB"),
)
DISK = Wanted(
    name="disk",
    kind="disk",
    meaning="system disk of each machine, with its unit",
    words=("disk", "disc", "storage space", "ssd"),
    question="How large should its disk be?",
    suggestions=("40 GB", "100 GB"),
)
NAME = Wanted(
    name="name",
    kind="name",
    meaning="what the machine is to be called; several are numbered from it",
    words=("called", "named", "name", "hostname"),
)
NODE = Wanted(
    name="node",
    kind="node",
    meaning="the node it must run on, only when the operator names one",
    words=("on node", "node", "host"),
)
STORAGE = Wanted(
    name="storage",
    kind="text",
    meaning="the storage its disk must lie on, only when the operator names one",
    words=("on storage", "storage", "datastore"),
)
OS = Wanted(
    name="os",
    kind="choice",
    meaning="operating system",
    words=("os", "operating system"),
    # Whether the cluster has a template of it is looked at later: a system that is named is never taken for another.
    choices=(
        ("debian", ("debian",)),
        ("ubuntu", ("ubuntu",)),
        ("rhel", ("rhel", "red hat", "redhat")),
        ("oraclelinux", ("oracle linux", "oraclelinux")),
        *((name, (name,)) for name in ("windows", "rocky", "almalinux", "centos", "fedora", "opensuse", "alpine", "freebsd")),
    ),
)
TEMPLATE = Wanted(
    name="template",
    kind="text",
    meaning="the template to clone, only when the operator names one",
    words=("template",),
)
PUBLIC_KEY = Wanted(
    name="public_key",
    kind="public_key",
    meaning="the operator's public SSH key, one line",
    words=("public key", "ssh key", "key"),
    question="Which public SSH key should open it? Paste the line of your .pub file.",
    suggestions=("ssh-ed25519 AAAA… you@laptop", "no key"),
)

EVERY_MACHINE: tuple[Wanted, ...] = (
    ENVIRONMENT,
    NETWORK,
    COUNT,
    CPU_COUNT,
    MEMORY,
    DISK,
    NAME,
    NODE,
    STORAGE,
    OS,
    TEMPLATE,
    PUBLIC_KEY,
)
