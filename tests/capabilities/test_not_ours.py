"""What we do not make is never replaced by what we do, and no size that was said is dropped."""

from __future__ import annotations

import pytest
from clusters import SITE

from tools.capabilities import catalogue, chain
from tools.rules.hearing.hear import hear, merge, prove
from tools.values.heard import Heard
from tools.values.requirements import Needs


def needs_of(*texts: str) -> dict[str, Needs]:
    so_far = Heard()
    for text in texts:
        so_far = merge(so_far, hear(text, catalogue(), so_far))
    assert prove(so_far, texts, catalogue()) == (so_far, ())
    return {part.capability: part for part in chain.understand(so_far, SITE, "operator").parts}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        ("MySQL", "MySQL"), ("mysql 8", "MySQL"), ("MariaDB", "MariaDB"), ("MongoDB", "MongoDB"), ("Oracle", "Oracle"),
        ("SQL Server", "SQL Server"), ("MSSQL", "SQL Server"), ("Microsoft SQL Server", "SQL Server"),
    ],
)  # fmt: skip
def test_another_make_of_database_is_a_problem(make: str, told: str) -> None:
    needs = needs_of(f"a {make} database for 50 users, production, network 20")
    assert list(needs) == ["postgresql"]
    assert needs["postgresql"].problems == (
        f"Berth makes PostgreSQL databases, not {told} ones. Say PostgreSQL, or ask for a plain VM and install it yourself.",
    )
    count = needs["postgresql"].field("count")
    assert count is not None
    assert count.value == 1


@pytest.mark.parametrize("make", ["Apache", "IIS", "Caddy"])
def test_another_make_of_web_server_is_a_problem(make: str) -> None:
    needs = needs_of(f"an {make} web server, staging, network 20")
    assert needs["web_server"].problems == (
        f"Berth makes web servers with nginx, not with {make}. Say nginx, or ask for a plain VM and install it yourself.",
    )


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("a MySQL database for 50 users, production, network 20", "PostgreSQL then"),
        ("an Apache web server, staging, network 20", "use nginx"),
    ],
)
def test_our_own_make_said_afterwards_settles_it(first: str, then: str) -> None:
    assert all(not part.problems and not part.missing for part in needs_of(first, then).values())


@pytest.mark.parametrize(
    "text",
    [
        "a PostgreSQL database for 50 users, production, network 20",
        "a PostgreSQL database for 50 users to replace our MySQL, production, network 20",
        "a database for 50 users, not MySQL, production, network 20",
        "a database on Oracle Linux for 50 users, production, network 20",
        "an nginx web server in front of Apache Tomcat, staging, network 20",
        "a web server behind Caddy, staging, network 20",
    ],
)
def test_a_make_that_is_not_asked_for_is_no_problem(text: str) -> None:
    assert all(not part.problems for part in needs_of(text).values())


def test_a_make_is_no_matter_of_the_other_things_asked_for() -> None:
    needs = needs_of("a MySQL database for 20 users and a web server, production, network 20")
    assert len(needs["postgresql"].problems) == 1
    assert needs["web_server"].problems == ()


@pytest.mark.parametrize(
    ("text", "data_gib", "least_gib"),
    [
        ("a VM with 8 cores, 32 GB RAM and 2 TB of photos, production, network 20", 2048, 2048 + 8),
        ("a VM for GitLab with 100 users and 500 GB of data, production, network 20", 500, 500 + 8),
        ("a VM for Immich with 1 TB of photos, production, network 20", 1024, 1232),
        ("a VM for Harbor with 2 TB of artifacts, production, network 20", 2048, 2048 + 40),
        ("a VM with 2 cores, 4 GB RAM, a 100 GB disk and 60 GB of data, staging, network 20", 60, 100),
    ],
)
def test_the_disk_of_a_machine_holds_the_data_that_was_said(text: str, data_gib: int, least_gib: int) -> None:
    needs = needs_of(text)["virtual_machine"]
    assert needs.problems == ()
    fields = {f.name: f for f in needs.fields}
    disk = fields["disk_gib"]
    assert fields["data_gib"].value == data_gib
    assert isinstance(disk.value, int)
    assert disk.value >= least_gib
    if disk.low is not None and disk.high is not None:
        assert disk.low <= disk.value <= disk.high


@pytest.mark.parametrize(
    ("text", "capability", "field"),
    [
        (
            "a PostgreSQL database for 50 users, 500 GB of data and a 100 GB disk, production, network 20",
            "postgresql",
            "database_gib",
        ),
        ("a VM with 8 cores, 32 GB RAM, a 100 GB disk and 2 TB of photos, production, network 20", "virtual_machine", "data_gib"),
    ],
)
def test_data_that_does_not_fit_the_disk_is_a_problem(text: str, capability: str, field: str) -> None:
    needs = needs_of(text)[capability]
    assert needs.field(field) is not None
    assert len(needs.problems) == 1
    assert "do not fit on a disk of 100 GiB" in needs.problems[0]
    assert "Say a" in needs.problems[0]


def test_data_that_fits_the_disk_is_in_the_plan() -> None:
    needs = needs_of("a PostgreSQL database for 50 users, 50 GB of data and a 100 GB disk, production, network 20")["postgresql"]
    assert needs.problems == ()
    assert {f.name: f.value for f in needs.fields}["database_gib"] == 50
    assert {f.name: f.value for f in needs.fields}["disk_gib"] == 100
