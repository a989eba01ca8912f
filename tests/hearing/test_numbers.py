"""Which number, size or count is about what: tables of sentences through the real catalogue."""

from __future__ import annotations

import pytest

from tools.capabilities import catalogue
from tools.rules.hearing.hear import hear
from tools.values.heard import Ask, Heard

NUMERIC = ("count", "cpu_count", "memory", "disk", "database_size", "concurrent_users", "users")


def numbers_of(text: str) -> dict[str, str]:
    heard = hear(text, catalogue(), Heard())
    return {fact.name: fact.value for ask in heard.asks for fact in ask.facts if fact.name in NUMERIC}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VM, increase memory from 4 GB to 8 GB", {"memory": "4 GB to 8 GB"}),
        ("VM, upgrade the disk from 60 GB to 100 GB", {"disk": "60 GB to 100 GB"}),
        ("a VM with 4 GB or 8 GB of memory", {"memory": "8 GB"}),
        ("a VM with 8 GB to 16 GB of RAM", {"memory": "8 GB to 16 GB"}),
        ("a VM with 4 cores 8 GB 60 GB", {"cpu_count": "4", "memory": "8 GB", "disk": "60 GB"}),
        ("VM, 100 GB, 16 GB", {"memory": "16 GB", "disk": "100 GB"}),
        ("a database, change users from 100 to 200", {"concurrent_users": "200"}),
        ("a VM with 8 GB memory and 100 GB", {"memory": "8 GB", "disk": "100 GB"}),
    ],
)
def test_two_sizes_of_one_thing_are_one(text: str, expected: dict[str, str]) -> None:
    assert numbers_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a Node 20 dev environment", {}), ("a database used by 5 web servers", {}), ("a PostgreSQL server with 3 databases", {}),
        ("a MySQL 8 database", {}), ("a Rocky Linux 9 VM", {}), ("Debian GNU/Linux 12 VM", {}), ("WordPress 6 website", {}),
        ("a phase 2 web server", {}), ("tier 2 database", {}), ("a Debian 12 VM", {}),
        ("a pair of web servers", {"count": "2"}),
        ("ten web servers", {"count": "10"}), ("3x web server", {"count": "3"}), ("I'd like two VMs", {"count": "2"}),
        ("10 web servers for 5000 visitors", {"count": "10", "concurrent_users": "5000"}),
        ("two dev environments with 8 cores", {"count": "2", "cpu_count": "8"}), ("I need 3 more web servers", {"count": "3"}),
        ("4 cores 3 VMs", {"cpu_count": "4", "count": "3"}), ("8 GB RAM 2 VMs", {"memory": "8 GB", "count": "2"}),
        ("100 users 2 databases", {"concurrent_users": "100", "count": "2"}),
        ("a VM with 8 GB memory and 100 GB storage", {"memory": "8 GB", "disk": "100 GB"}),
        ("a VM with 8 GB memory and 100 GB of space", {"memory": "8 GB", "disk": "100 GB"}),
        ("a VM with 8 GB memory, 200 GB NVMe", {"memory": "8 GB", "disk": "200 GB"}), ("a VM of 16 GB size", {"memory": "16 GB"}),
        ("we launch 3 web servers", {"count": "3"}), ("a web server on 3 machines", {"count": "3"}),
    ],
)  # fmt: skip
def test_a_count_of_machines_opens_its_phrase(text: str, expected: dict[str, str]) -> None:
    assert numbers_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a VM with 8 GB memory and 2 GB swap", {"memory": "8 GB"}), ("a VM with 8 GB memory, 1 GB/s network", {"memory": "8 GB"}),
        ("a VM with 8 GB memory, 10 GB network card", {"memory": "8 GB"}), ("a VM, 8 GB memory, 16 GB GPU", {"memory": "8 GB"}),
        ("a web server with 8 GB of log files", {}), ("a VM with 1 GB bandwidth", {}),
        ("a PostgreSQL db, 256 GB, 100 users", {"concurrent_users": "100"}),
        ("a VM with 8 GB and two disks of 50 GB", {"memory": "8 GB", "disk": "50 GB"}),
        ("a VM with 8 GB network 20", {"memory": "8 GB"}), ("an 8 GB Debian VM", {"memory": "8 GB"}),
    ],
)  # fmt: skip
def test_a_size_of_something_else_is_neither_memory_nor_disk(text: str, expected: dict[str, str]) -> None:
    assert numbers_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a database for one hundred and fifty users", {"concurrent_users": "150"}),
        ("a database for two hundred fifty users", {"concurrent_users": "250"}),
        ("a database for 1 000 users", {"concurrent_users": "1000"}),
        ("a database for 100 concurrent users each with 20 connections", {"concurrent_users": "100"}),
        ("a database for 5000 users, 100 of them concurrent", {"concurrent_users": "100"}),
        ("a database on network 20 100 users", {"concurrent_users": "100"}),
    ],
)  # fmt: skip
def test_how_numbers_are_said(text: str, expected: dict[str, str]) -> None:
    assert numbers_of(text) == expected


def test_the_number_of_an_answer_is_not_the_answer() -> None:
    asked = tuple(("postgresql", name) for name in ("concurrent_users", "environment", "network"))
    so_far = Heard(asks=(Ask(capability="postgresql", facts=()),))
    heard = hear("1) 100\n2) production\n3) 20", catalogue(), so_far, asked)
    assert {fact.name: fact.value for fact in heard.asks[0].facts} == {
        "concurrent_users": "100", "environment": "production", "network": "20",
    }  # fmt: skip
