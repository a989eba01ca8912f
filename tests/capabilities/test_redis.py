"""A Redis server from words to a reviewed part: what its memory and its disk come to, what is asked, and what is refused."""

from __future__ import annotations

import pytest
from clusters import SITE, facts
from hypothesis import given
from hypothesis import strategies as st
from machine_chain import composed, errors, only, reviewed, spoilt

from tests.hearing.facts import said as said_by
from tools.capabilities import catalogue, chain
from tools.capabilities.redis import sizes
from tools.values.requirements import Needs, Origin
from tools.values.review import Severity

PLACED = {"environment": "production", "network": "20"}


def understand(**said: str) -> Needs:
    return catalogue()["redis"].ON["proxmox"].understand(facts(**(PLACED | said)), SITE)


def values(needs: Needs, *names: str) -> list[object]:
    found = {f.name: f.value for f in needs.fields}
    return [found.get(name) for name in names]


SENTENCES = [
    ("a Redis server for 4 GB of data, production, on network 20", {"data_mib": 4096, "memory_mib": 10752, "purpose": "store"}),
    ("a Redis cache with 8 GB of memory, development, on network 20", {"data_mib": None, "memory_mib": 8192, "purpose": "cache"}),
    ("a Redis database with 2 GB of data, staging, network 20", {"data_mib": 2048, "environment": "staging"}),
    ("a Redis 7 with 500 MB of data for caching, staging, network 20", {"data_mib": 500, "purpose": "cache", "count": 1}),
    ("three Redis servers called cache, 1 GB of data, production, network 20", {"count": 3, "name": "cache", "purpose": "store"}),
]


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=[s[0][:30] for s in SENTENCES])
def test_a_sentence_becomes_complete_needs(sentence: str, expected: dict[str, object]) -> None:
    requirements = chain.understand(said_by(sentence), SITE, "operator")
    assert [part.capability for part in requirements.parts] == ["redis"]
    assert requirements.complete, (requirements.parts[0].missing, requirements.parts[0].problems)
    assert dict(zip(expected, values(requirements.parts[0], *expected), strict=True)) == expected


def test_every_example_is_complete() -> None:
    for example in catalogue()["redis"].EXAMPLES:
        requirements = chain.understand(said_by(example), SITE, "operator")
        assert [part.capability for part in requirements.parts] == ["redis"], example
        assert requirements.complete, example


def test_a_database_and_a_redis_are_two_things() -> None:
    text = "a PostgreSQL database for 50 users and a Redis with 2 GB of data, production, network 20"
    parts = {part.capability: part for part in chain.understand(said_by(text), SITE, "operator").parts}
    assert set(parts) == {"postgresql", "redis"}
    assert all(not part.problems and not part.missing for part in parts.values())
    assert parts["redis"].whole("data_mib") == 2048


SIZES = [  # data, then memory: least, chosen and end of the range, and the disk chosen
    (500, 1536, 2048, 3072, 14),
    (1024, 2048, 3072, 5632, 17),
    (4096, 5120, 10752, 20992, 40),
    (16384, 18944, 41472, 82432, 130),
]


@pytest.mark.parametrize(("data_mib", "low", "value", "high", "disk_gib"), SIZES)
def test_memory_and_disk_follow_from_the_data_and_say_their_source(data_mib: int, low: int, value: int, high: int, disk_gib: int) -> None:
    needs = understand(data_size=f"{data_mib} MiB")
    memory, disk = needs.field("memory_mib"), needs.field("disk_gib")
    assert memory is not None and disk is not None and memory.source is not None and disk.source is not None
    assert (memory.low, memory.value, memory.high, disk.value) == (low, value, high, disk_gib)
    assert (memory.source.title, memory.source.date) == ("redis/redis-doc docs/management/admin.md @21d96d0", "2026-11-29")
    assert disk.source.title.startswith("redis.io/kb/doc/1kokpahgyd")


@given(st.integers(1, sizes.DATA_MIB_MAX))
def test_every_assumption_lies_in_its_range_and_the_data_fits_wherever_in_it(data_mib: int) -> None:
    memory = sizes.memory(data_mib)
    disk = sizes.disk(memory.value, data_mib)
    assert memory.low <= memory.value <= memory.high
    assert disk.low <= disk.value <= disk.high
    for memory_mib in (memory.low, memory.value, memory.high):
        assert data_mib <= sizes.data_max_mib(memory_mib, data_mib) < memory_mib
    # While Redis saves, all of it may be there twice.
    assert sizes.data_max_mib(memory.value, data_mib) * 2 <= memory.value - sizes.SYSTEM_MIB


@given(st.integers(0, 2**21), st.integers(0, sizes.DATA_MIB_MAX))
def test_the_data_is_never_without_a_limit(memory_mib: int, data_mib: int) -> None:
    assert sizes.data_max_mib(memory_mib, data_mib) >= 1, "to Redis 0 is no limit"


def test_data_is_asked_for_unless_the_memory_says_enough() -> None:
    asked = understand()
    assert [m.name for m in asked.missing] == ["data_size"]
    assert all(m.question and m.suggestions for m in asked.missing)
    said = understand(memory="8 GB")
    assert (said.missing, said.problems) == ((), ())
    assert values(said, "memory_mib", "disk_gib", "data_mib") == [8192, 32, None]


def test_every_field_says_where_it_comes_from() -> None:
    for needs in (understand(data_size="4 GB"), understand(memory="8 GB", purpose="cache")):
        for one in needs.fields:
            assert one.words if one.origin is Origin.SAID else one.because, one.name
            if one.origin is Origin.ASSUMED:
                assert one.source is not None and one.low is not None and one.high is not None, one.name


PROBLEMS = [
    ({"data_size": "0 GB"}, "Say a size from"),
    ({"data_size": "lots"}, "“lots” is no data that I can read"),
    ({"data_size": "9000 PB"}, "no machine has the memory for more"),
    ({"data_size": "8 GB", "memory": "8 GB"}, "8 GiB of data do not fit in 8 GiB of memory"),
    ({"memory": "512 MB"}, "Say 1 GiB of memory or more"),
    ({"data_size": "8 GB", "disk": "20 GB"}, "Say a disk of 32 GiB or more"),
    ({"data_size": "1 GB", "purpose": "toaster"}, "Say cache or store."),
    ({"data_size": "1 GB", "edition": "Redis Cluster"}, "not Redis Cluster"),
]


@pytest.mark.parametrize(("said", "sentence"), PROBLEMS)
def test_what_cannot_be_taken_is_told_with_the_next_move(said: dict[str, str], sentence: str) -> None:
    needs = understand(**said)
    assert len(needs.problems) == 1
    assert sentence in needs.problems[0]
    assert needs.problems[0].endswith(".")


@given(st.dictionaries(st.sampled_from([w.name for w in catalogue()["redis"].WANTED]), st.text(max_size=40)))
def test_no_fact_raises(said: dict[str, str]) -> None:
    assert all(problem and "\n" not in problem for problem in understand(**said).problems)


@pytest.mark.parametrize("edition", ["Redis Stack", "Redis Cluster", "Redis Sentinel"])
def test_another_edition_is_a_problem_until_plain_redis_is_said(edition: str) -> None:
    so_far = said_by(f"a {edition} with 2 GB of data, production, network 20")
    (part,) = chain.understand(so_far, SITE, "operator").parts
    assert (part.capability, len(part.problems)) == ("redis", 1)
    so_far = said_by("plain Redis then", so_far=so_far)
    (part,) = chain.understand(so_far, SITE, "operator").parts
    assert part.problems == ()


def test_what_is_composed_reviews_clean_and_has_its_secret_and_its_limits() -> None:
    manifest = composed("redis", PLACED | {"data_size": "4 GB", "purpose": "cache"})
    review = reviewed(manifest)
    assert (review.clean, review.findings) == (True, ())
    part = only(manifest)
    assert part.configure is not None
    assert part.configure.playbook == "redis.yml"
    assert {n: v for n, v in part.configure.variables.items() if n.startswith("redis_")} == {
        "redis_password": {"secret": "redis_password"},
        "redis_data_max_mib": 4096,
        "redis_policy": "allkeys-lru",
    }
    assert [(s.name, s.kind) for s in part.secrets] == [("ssh_key", "ssh_key"), ("redis_password", "password")]
    assert [m.name for m in part.machines] == ["redis-01"]
    assert manifest.digest == composed("redis", PLACED | {"data_size": "4 GB", "purpose": "cache"}).digest


@pytest.mark.parametrize(
    ("memory", "limit_mib"),
    [("10752 MiB", 4096), ("8 GB", 4096), ("16 GB", 6348)],  # twice the data; less, but it fits; more than was said
)
def test_the_limit_is_what_the_memory_carries_and_at_least_the_data(memory: str, limit_mib: int) -> None:
    part = only(composed("redis", PLACED | {"data_size": "4 GB", "memory": memory}))
    assert part.configure is not None
    assert part.configure.variables["redis_data_max_mib"] == limit_mib


def test_memory_for_the_data_alone_is_a_warning() -> None:
    review = reviewed(composed("redis", PLACED | {"data_size": "4 GB", "memory": "8 GB"}))
    assert [(f.check, f.severity) for f in review.findings] == [("size.memory", Severity.WARNING)]


@pytest.mark.parametrize(
    ("changes", "check"),
    [({"memory_mib": 4096}, "size.memory"), ({"memory_mib": 512}, "size.memory"), ({"disk_gib": 10}, "size.disk")],
)
def test_a_part_that_does_not_hold_its_data_is_a_fault(changes: dict[str, int], check: str) -> None:
    assert check in errors(reviewed(spoilt(composed("redis", PLACED | {"data_size": "4 GB"}), **changes)))
