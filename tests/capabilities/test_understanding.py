"""Facts → needs: what is asked for, where every field comes from, and what cannot be taken, in whole sentences."""

from __future__ import annotations

import pytest
from clusters import KEY, SITE, facts
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.capabilities import catalogue
from tools.values.requirements import Field, Needs, Origin
from tools.values.site import Site

MINE = ("dev_environment", "postgresql", "virtual_machine", "web_server")
SENTENCE = {"users": "100", "environment": "production", "network": "20"}
VM = {
    "cpu_count": "4",
    "memory": "8 GB",
    "disk": "60 GB",
    "os": "debian",
    "name": "build-01",
    "network": "20",
    "environment": "development",
}


def understand(capability: str, site: Site = SITE, **said: str) -> Needs:
    return catalogue()[capability].ON["proxmox"].understand(facts(**said), site)


def field(needs: Needs, name: str) -> Field:
    found = needs.field(name)
    assert found is not None, name
    return found


def test_the_sentence_is_complete_and_its_size_has_a_source() -> None:
    needs = understand("postgresql", **SENTENCE)
    assert (needs.missing, needs.problems) == ((), ())
    memory = field(needs, "memory_mib")
    assert (memory.value, memory.unit, memory.low, memory.high) == (4096, "MiB", 4096, 8192)
    assert memory.source is not None
    assert "concepts-limits, B2s" in memory.source.title
    assert field(needs, "concurrent_users").words == "100"


@pytest.mark.parametrize("capability", ["postgresql", "web_server", "dev_environment", "virtual_machine"])
def test_every_field_says_where_it_comes_from(capability: str) -> None:
    needs = understand(capability, **(SENTENCE | {"memory": "8 GB", "application": "Harbor"}))
    for one in needs.fields:
        assert one.words if one.origin is Origin.SAID else one.because, one.name
        if one.origin is Origin.ASSUMED:
            assert one.source is not None
            assert one.low is not None
            assert one.high is not None
            assert one.low <= float(one.value) <= one.high  # type: ignore[arg-type]


AT_20 = {"network": "20", "environment": "staging"}
MISSING = [
    ("postgresql", {}, ["users", "environment", "network"]),
    ("web_server", {"count": "ten"}, ["environment", "network"]),
    ("dev_environment", {}, ["network"]),
    ("virtual_machine", AT_20, ["cpu_count", "memory"]),
    ("virtual_machine", AT_20 | {"application": "GitLab"}, ["users"]),
    ("virtual_machine", AT_20 | {"application": "Jenkins"}, ["cpu_count"]),
    ("virtual_machine", AT_20 | {"other_application": "Gitea"}, ["cpu_count", "memory", "disk"]),
    ("virtual_machine", AT_20 | {"application": "Nextcloud", "users": "150"}, ["cpu_count", "memory", "disk"]),
    ("virtual_machine", AT_20 | {"application": "GitLab", "users": "3000"}, ["cpu_count", "memory", "disk"]),
    ("virtual_machine", AT_20 | {"application": "Nextcloud", "cpu_count": "4", "memory": "8 GB"}, []),
]


@pytest.mark.parametrize(("capability", "said", "missing"), MISSING)
def test_what_is_missing_is_asked_for_with_suggestions(capability: str, said: dict[str, str], missing: list[str]) -> None:
    needs = understand(capability, **said)
    assert [m.name for m in needs.missing] == missing
    assert all(m.question and m.suggestions for m in needs.missing)
    assert needs.problems == ()


def test_a_site_with_a_default_network_asks_less() -> None:
    needs = understand("dev_environment", SITE.model_copy(update={"default_network": "20"}))
    assert needs.missing == ()
    assert field(needs, "network").because


def test_an_explicit_machine_is_taken_to_the_letter() -> None:
    needs = understand("virtual_machine", **VM)
    assert needs.missing == ()
    assert [field(needs, n).value for n in ("cpu_count", "memory_mib", "disk_gib", "name")] == [4, 8192, 60, "build-01"]
    assert all(field(needs, n).origin is Origin.SAID for n in ("cpu_count", "memory_mib", "disk_gib"))


def test_an_application_brings_its_size() -> None:
    needs = understand("virtual_machine", application="K3s server", agents="900", network="20", environment="production")
    assert [field(needs, n).value for n in ("cpu_count", "memory_mib")] == [4, 8192]
    assert field(needs, "cpu_count").source.grade == "between two rows"  # type: ignore[union-attr]


def test_a_library_brings_its_disk() -> None:
    needs = understand("virtual_machine", application="Immich", data_size="1000 GB", network="20", environment="production")
    assert [field(needs, n).value for n in ("cpu_count", "memory_mib", "disk_gib")] == [4, 8192, 1203]


def test_the_least_that_runs_is_told_when_a_size_is_asked_for() -> None:
    needs = understand("virtual_machine", other_application="Gitea", network="20", environment="production")
    assert "1 vCPU, 1 GiB" in needs.missing[0].question


@pytest.mark.parametrize(
    ("capability", "said", "named"),
    [
        ("virtual_machine", {"cpu_count": "0"}, "0 cores"),
        ("virtual_machine", {"cpu_count": "some"}, "“some”"),
        ("virtual_machine", {"memory": "-5 GB"}, "“-5 GB”"),
        ("virtual_machine", {"memory": "a lot"}, "“a lot”"),
        ("virtual_machine", {"disk": "9000 PB"}, "“9000 PB”"),
        ("virtual_machine", {"name": '${file("/etc/passwd")}'}, "file-etc-passwd"),
        ("virtual_machine", {"name": "x" * 62, "count": "3"}, "63"),
        ("virtual_machine", {"environment": "prodction"}, "production"),
        ("virtual_machine", {"network": "20\n21"}, "20 21"),
        ("virtual_machine", {"application": "A" * 300}, "AAA"),
        ("virtual_machine", {"public_key": "hello"}, "“hello”"),
        ("virtual_machine", {"public_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "private key"),
        ("virtual_machine", {"count": "500"}, "500"),
        ("postgresql", {"users": "1000000000"}, "1,000,000,000"),
        ("postgresql", {"database_name": "drop table; --"}, "“drop table; --”"),
        ("postgresql", {"database_size": "-3 GB"}, "“-3 GB”"),
        ("web_server", {"users": "-1"}, "-1"),
        ("web_server", {"site_name": "not a site"}, "“not a site”"),
        ("dev_environment", {"packages": "git; rm -rf /"}, "“-rf”"),
    ],
)
def test_what_cannot_be_taken_is_told_by_name(capability: str, said: dict[str, str], named: str) -> None:
    needs = understand(capability, **(SENTENCE | said if capability == "postgresql" else said))
    [problem] = needs.problems
    assert named in problem and "\n" not in problem


def test_a_public_key_is_asked_for_only_when_the_site_has_none() -> None:
    assert [m.name for m in understand("dev_environment", Site(), network="20").missing] == ["public_key"]
    given = understand("dev_environment", Site(), network="20", public_key=f" {KEY}  ")
    assert field(given, "public_keys").value == (KEY,)
    none = understand("dev_environment", Site(), network="20", public_key="no key")
    assert field(none, "public_keys").value == ()
    both = understand("dev_environment", SITE, network="20", public_key="ssh-rsa AAAA other")
    assert field(both, "public_keys").value == (KEY, "ssh-rsa AAAA other")


def test_the_size_of_the_data_decides_the_disk() -> None:
    needs = understand("postgresql", **SENTENCE, database_size="200 GB")
    disk = field(needs, "disk_gib")
    assert (disk.value, disk.low, disk.high) == (308, 208, 608)


def test_the_later_of_two_facts_wins() -> None:
    said = (*facts(**SENTENCE), *facts(users="1000"))
    assert field(catalogue()["postgresql"].ON["proxmox"].understand(said, SITE), "memory_mib").value == 16384


@given(
    st.dictionaries(st.sampled_from([w.name for c in MINE for w in catalogue()[c].WANTED]), st.text(max_size=60)),
    st.sampled_from(MINE),
)
@settings(max_examples=200)
def test_no_fact_raises(said: dict[str, str], capability: str) -> None:
    needs = understand(capability, **said)
    assert all(problem and "\n" not in problem for problem in needs.problems)
    assert needs.digest == understand(capability, **said).digest
