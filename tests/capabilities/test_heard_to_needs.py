"""Sentences as operators say them, heard with the words that the capabilities declare, and understood."""

from __future__ import annotations

import pytest
from clusters import SITE

from tools.capabilities import catalogue, chain
from tools.rules.hearing.hear import hear
from tools.values.heard import Heard

SENTENCES = [
    ("I need a PostgreSQL database for 100 concurrent users, production, on network 20", "postgresql",
     {"concurrent_users": 100, "environment": "production", "network": "20", "cpu_count": 2, "memory_mib": 4096}),
    ("4 cores 8 GB 60 GB Debian VM called build-01 on network 20 for development", "virtual_machine",
     {"cpu_count": 4, "memory_mib": 8192, "disk_gib": 60, "os": "debian", "name": "build-01", "environment": "development"}),
    ("ten web servers, staging, on network 20", "web_server", {"count": 10, "environment": "staging", "network": "20"}),
    ("a development environment on network 20", "dev_environment", {"environment": "development", "network": "20"}),
    ("a postgres with 200 GB of data for 50 users in staging on vlan 20", "postgresql", {"database_gib": 200, "concurrent_users": 50}),
    ("a VM from template debian-99 with 2 cores and 4 GB, staging, network 20", "virtual_machine", {"os": "debian-99", "cpu_count": 2}),
    ("a VM using template debian-99 with 2 cores and 4 GB, staging, network 20", "virtual_machine", {"os": "debian-99", "cpu_count": 2}),
    ("postgres 100 users production network 20", "postgresql", {"concurrent_users": 100}),
    ("a Windows VM with 4 cores 8 GB, production, network 20", "virtual_machine", {"os": "windows", "cpu_count": 4}),
    ("a VM for Harbor, production, on network 20", "virtual_machine", {"application": "Harbor", "cpu_count": 4, "memory_mib": 8192}),
    ("a VM for K3s with 900 agents, production, on network 20 on node pve3", "virtual_machine",
     {"application": "K3s server", "agents": 900, "cpu_count": 4, "node": "pve3"}),
    ("three web servers called shop on storage ceph-vm, network 20, production", "web_server",
     {"count": 3, "name": "shop", "storage": "ceph-vm"}),
    ("an Ubuntu VM with 2 cores, 4 GB memory and 30 GB disk, staging, on vmbr0", "virtual_machine",
     {"os": "ubuntu", "cpu_count": 2, "memory_mib": 4096, "disk_gib": 30, "network": "vmbr0"}),
    ("a VM for Immich with 1 TB of photos, production, network 20", "virtual_machine", {"data_gib": 1024, "disk_gib": 1232, "memory_mib": 8192}),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "capability", "expected"), SENTENCES, ids=[s[0][:40] for s in SENTENCES])
def test_a_sentence_becomes_complete_needs(sentence: str, capability: str, expected: dict[str, object]) -> None:
    heard = hear(sentence, catalogue(), Heard())
    requirements = chain.understand(heard, SITE, "operator")
    assert [part.capability for part in requirements.parts] == [capability]
    assert requirements.complete, (requirements.parts[0].missing, requirements.parts[0].problems)
    fields = {f.name: f.value for f in requirements.parts[0].fields}
    assert {name: fields.get(name) for name in expected} == expected


@pytest.mark.parametrize("name", ["dev_environment", "postgresql", "virtual_machine", "web_server"])
def test_every_example_of_a_capability_is_complete(name: str) -> None:
    for example in catalogue()[name].EXAMPLES:
        requirements = chain.understand(hear(example, catalogue(), Heard()), SITE, "operator")
        assert [part.capability for part in requirements.parts] == [name], example
        problems = requirements.parts[0].problems
        missing = {m.name for m in requirements.parts[0].missing}
        assert problems == (), example
        assert missing <= {"environment"}, (example, missing)
