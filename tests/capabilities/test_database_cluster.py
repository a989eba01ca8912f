"""A database that survives a machine, from words to a reviewed part: who is heard as one, what follows, and what is refused."""

from __future__ import annotations

import pytest
from clusters import SITE, facts, four_nodes, guest
from machine_chain import composed, errors, offered, only, reviewed

from tests.hearing.facts import said as said_by
from tools.capabilities import catalogue, chain
from tools.capabilities.database_cluster.variables import SECRETS
from tools.rules.sizing import sizing
from tools.values.requirements import Needs

PLACED = {"environment": "production", "network": "20", "users": "100", "virtual_address": "10.20.0.200"}


def understand(**said: str) -> Needs:
    return catalogue()["database_cluster"].ON["proxmox"].understand(facts(**(PLACED | said)), SITE)


HEARD = [
    ("a PostgreSQL database that survives a node, 100 users", ["database_cluster"]),
    ("highly available PostgreSQL cluster, 3 nodes", ["database_cluster"]),
    ("a postgres that can survive the loss of a machine, 20 users", ["database_cluster"]),
    ("an HA database on 5 nodes for 50 users", ["database_cluster"]),
    ("a web server and a replicated postgres with 2 standbys", ["web_server", "database_cluster"]),
    ("PostgreSQL with 2 replicas for 100 users", ["database_cluster"]),
    ("a PostgreSQL database for 100 users", ["postgresql"]),
    ("a PostgreSQL database with one standby for 100 users", ["database_cluster"]),
    ("a postgres cluster for 50 users and a plain database for 20 users", ["database_cluster", "postgresql"]),
    ("a PostgreSQL database with high availability for 20 users", ["postgresql"]),
]


@pytest.mark.parametrize(("sentence", "expected"), HEARD, ids=[sentence[:40] for sentence, _ in HEARD])
def test_what_is_to_survive_is_a_cluster_and_a_plain_wish_stays_plain(sentence: str, expected: list[str]) -> None:
    requirements = chain.understand(said_by(sentence), SITE, "operator")
    assert [part.capability for part in requirements.parts] == expected


def test_what_is_asked_for_in_a_cloud_that_it_cannot_stand_on_is_told() -> None:
    [needs] = chain.understand(said_by("postgres with 2 replicas in Azure, 50 users, production"), SITE, "operator").parts
    assert (len(needs.problems), needs.disputed) == (1, ("platform",))


@pytest.mark.parametrize(("later", "count"), [("make it 4 machines", 4), ("3 replicas", 4), ("one more replica", 4)])
def test_machines_and_replicas_are_one_number_and_what_is_said_later_counts(later: str, count: int) -> None:
    first = "PostgreSQL with 2 replicas, 100 users, production, network 20, virtual address 10.20.0.200"
    for texts, expected in (((first, later), count), ((first, later, "make it 2 replicas"), 3), ((first, later, "make it 3 machines"), 3)):
        [needs] = chain.understand(said_by(*texts), SITE, "operator").parts
        assert (needs.whole("count"), needs.problems) == (expected, ())


def test_every_example_is_complete() -> None:
    for example in catalogue()["database_cluster"].EXAMPLES:
        requirements = chain.understand(said_by(example), SITE, "operator")
        assert [part.capability for part in requirements.parts] == ["database_cluster"], example
        assert requirements.complete, (example, requirements.parts[0].missing)


COUNTS: list[tuple[dict[str, str], tuple[int, int] | str]] = [
    ({}, (3, 3)),
    ({"count": "4"}, (4, 3)),
    ({"count": "5", "etcd_members": "5"}, (5, 5)),
    ({"replicas": "4"}, (5, 3)),
    ({"replicas": "yes"}, (3, 3)),
    ({"high_availability": "yes", "backup": "yes"}, (3, 3)),
    ({"name": "a, b, c, d"}, (4, 3)),
    ({"count": "2"}, "does not survive the loss of one"),
    ({"replicas": "1"}, "does not survive the loss of one"),
    ({"count": "12"}, "too many"),
    ({"etcd_members": "2"}, "2 must agree, so it would survive the loss of none."),
    ({"etcd_members": "4", "count": "5"}, "3 must agree, so it would survive the loss of 1, as one member fewer would"),
    ({"etcd_members": "5"}, "do not fit on 3 machines"),
    ({"etcd_members": "1"}, "survive the loss of none"),
    ({"engine": "mysql"}, "not MySQL ones"),
    ({"backup_folder": "s3://backups"}, "no folder of a machine"),
    ({"backup_folder": "/"}, "no folder of a machine"),
    ({"backup_folder": "/backup"}, "backup folder: /backup/postgresql"),
    ({"backup_folder": "filer:export"}, "no folder of a machine"),
    ({"backup_folder": "-o:/export"}, "no folder of a machine"),
]


@pytest.mark.parametrize(
    ("said", "expected"), COUNTS, ids=[" ".join(f"{k} {v}" for k, v in said.items()) or "nothing" for said, _ in COUNTS]
)
def test_members_are_three_at_least_and_those_with_etcd_an_odd_number(said: dict[str, str], expected: tuple[int, int] | str) -> None:
    needs = understand(**said)
    if isinstance(expected, str):
        [problem] = needs.problems
        assert expected in problem
    else:
        assert not needs.problems and not needs.missing
        assert (needs.whole("count"), needs.whole("etcd_members")) == expected
        assert not needs.yes("high_availability"), "the cluster below need not start its machines elsewhere"
        assert not needs.not_included


def test_a_disk_that_keeps_its_own_backups_is_larger() -> None:
    assert (understand(database_size="50 GB").whole("disk_gib"), sizing.database_disk_gib(50).value) == (208, 83)


def test_each_member_has_a_node_of_its_own_and_the_variables_name_no_machine() -> None:
    manifest = composed("database_cluster", PLACED | {"count": "4", "backup_folder": "/mnt/backup"})
    part = only(manifest)
    assert len({machine.node for machine in part.machines}) == 4
    assert part.virtual_address("virtual_address") == "10.20.0.200/24"
    assert part.configure is not None
    given = part.configure.variables
    assert {variable: given[variable] for variable in SECRETS} == {variable: {"secret": secret} for variable, secret in SECRETS.items()}
    assert {secret.name for secret in part.secrets} == {"ssh_key", *SECRETS.values()}
    assert (given["database_cluster_address"], given["database_cluster_allowed"]) == ("10.20.0.200", ["10.20.0.0/24"])
    assert (given["database_cluster_etcd_count"], given["database_cluster_backup_folder"]) == (3, "/mnt/backup")
    assert not [machine.name for machine in part.machines if machine.name in str(given)]
    assert errors(reviewed(manifest)) == []


@pytest.mark.parametrize(("users", "connections"), [("20", "25"), ("100", "103")])
def test_no_fewer_connections_are_set_than_patroni_takes(users: str, connections: str) -> None:
    part = only(composed("database_cluster", PLACED | {"users": users}))
    assert part.configure is not None
    assert part.configure.variables["database_cluster_settings"]["max_connections"] == connections  # type: ignore[call-overload,index]
    assert any(f"max_connections|{connections}\n" in one.expect for one in part.commands)


def test_a_share_is_mounted_on_the_machine_that_keeps_the_backups() -> None:
    part = only(composed("database_cluster", PLACED | {"backup_folder": "filer:/export/pg/"}))
    assert part.configure is not None
    given = part.configure.variables
    assert (given["database_cluster_backup_share"], given["database_cluster_backup_folder"]) == ("filer:/export/pg", "/mnt/backups")


REFUSED = [
    ({"count": "5"}, "5 machines", "a node of its own, and 4 nodes have room"),
    ({"memory": "400 GB"}, "memory", "too little memory left"),
    ({"virtual_address": "10.20.0.41"}, "virtual address 10.20.0.41", "it is taken by VM 500 (intranet)"),
    ({"virtual_address": "10.30.0.9"}, "virtual address 10.30.0.9", "it is not in network 20"),
]


@pytest.mark.parametrize(("said", "subject", "reason"), REFUSED, ids=[" ".join(said.values()) for said, _, _ in REFUSED])
def test_what_cannot_be_is_refused_with_a_reason(said: dict[str, str], subject: str, reason: str) -> None:
    other = guest(500, "intranet", "pve1", cpus=1, memory_gib=1, disk_gib=8).model_copy(update={"addresses": ("10.20.0.41",)})
    seen = four_nodes()
    _, offer = offered("database_cluster", PLACED | said, seen.model_copy(update={"guests": (*seen.guests, other)}))
    [part] = offer.parts
    assert part.candidates == ()
    assert [one.reason for one in part.exclusions if reason in one.reason], part.exclusions


def test_a_part_that_could_not_lose_a_machine_does_not_pass() -> None:
    manifest = composed("database_cluster", PLACED)
    few = only(manifest).model_copy(update={"machines": only(manifest).machines[:2]})
    assert "members" in errors(reviewed(manifest.model_copy(update={"parts": (few,)})))
