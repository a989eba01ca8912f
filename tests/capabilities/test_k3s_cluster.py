"""A k3s cluster, before anything is made: what is understood, what is refused, what goes to the playbook, and which changes it survives."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clusters import SITE, facts, four_nodes
from machine_chain import composed, only, required, situation

from tools.capabilities import chain
from tools.capabilities.k3s_cluster.changing import refusal
from tools.capabilities.k3s_cluster.facts import understand
from tools.rules.machines.keeping import addresses_of, without
from tools.values.manifest import Part
from tools.values.requirements import Needs, Origin
from tools.values.site import Release, Site

CLUSTER = {"servers_count": "3", "workers_count": "2", "environment": "development", "network": "20", "api_address": "10.20.0.200"}
OWN = Release(program="k3s", version="v1.35.1+k3s1", url="https://mirror.example.org/k3s", sha256="ab" * 32)


def needs(site: Site = SITE, **said: str) -> Needs:
    return understand(facts(**{**CLUSTER, **said}), site)


def without_some(*names: str, **said: str) -> dict[str, str]:
    return {name: value for name, value in {**CLUSTER, **said}.items() if name not in names}


def part(**said: str) -> Part:
    return only(composed("k3s_cluster", {**CLUSTER, **said}))


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"servers_count": "2"}, "3 servers, or 1"),
        ({"servers_count": "5"}, "1 or 3"),
        ({"workers_count": "0"}, "1 worker"),
        ({"release": "v1.2.3"}, "v1.2.3"),
        ({"add_ons": "harbor"}, "harbor"),
        ({"distribution": "RKE2"}, "RKE2"),
        ({"rancher": "yes"}, "rancher hostname"),
        ({"rancher": "yes", "rancher_name": "two words"}, "two words"),
        ({"servers_count": "1"}, "3 servers"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(said: dict[str, str], named: str) -> None:
    [problem] = needs(**said).problems
    assert named in problem


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ({"count": "1"}, "Say 2 machines or more."),
        ({"count": "60"}, "Say at most 20 in all."),
        ({"count": "3", "servers_count": "3"}, "Say 4 machines or more."),
        ({"count": "3", "workers_count": "3"}, "Say 4 machines or more."),
        ({"count": "6", "workers_count": "4"}, "Say 1 or 3 servers, or another number of machines."),
        ({"count": "6", "servers_count": "1", "workers_count": "4"}, "Say how many servers and how many workers."),
    ],
)
def test_machines_that_are_no_servers_and_workers_are_told_with_what_would_be(said: dict[str, str], remedy: str) -> None:
    [problem] = understand(facts(**without_some("servers_count", "workers_count", "api_address") | said), SITE).problems
    assert problem.endswith(remedy)


def test_three_machines_that_are_to_survive_one_are_asked_about() -> None:
    for said in ({"environment": "production"}, {"api_address": "10.20.0.200"}):
        [problem] = understand(facts(**without_some("servers_count", "workers_count", "api_address", count="3") | said), SITE).problems
        assert "3 servers and 1 worker" in problem, problem


@pytest.mark.parametrize(
    ("said", "servers", "workers"),
    [
        (without_some("servers_count", environment="production"), 3, 2),
        (without_some("servers_count", "api_address"), 1, 2),
        (without_some("servers_count", "workers_count", "api_address", count="5"), 1, 4),
        (without_some("servers_count", "workers_count", "api_address", count="3"), 1, 2),
        (without_some("servers_count", "workers_count", count="5"), 3, 2),
        (without_some("servers_count", "workers_count", count="5", environment="production"), 3, 2),
        (without_some("servers_count"), 3, 2),
        (without_some("workers_count") | {"count": "6"}, 3, 3),
        (without_some("servers_count", "api_address") | {"count": "3", "environment": "production"}, 1, 2),
        (without_some() | {"count": "5"}, 3, 2),
    ],
)
def test_how_many_there_are_where_it_was_not_said(said: dict[str, str], servers: int, workers: int) -> None:
    found = understand(facts(**said), SITE)
    assert (found.whole("servers_count"), found.whole("workers_count"), found.problems) == (servers, workers, ())


def test_a_site_with_a_mirror_takes_nothing_from_elsewhere() -> None:
    public = needs()
    assert public.text("release_url").startswith("https://github.com/k3s-io/k3s/releases/download/")
    own = needs(SITE.model_copy(update={"releases": (OWN,)}))
    assert (own.text("release"), own.text("release_url"), own.text("release_sha256")) == (OWN.version, OWN.url, OWN.sha256)
    assert needs(SITE.model_copy(update={"releases": (OWN,)}), release="v1.36.5+k3s1").problems


def test_three_servers_ask_for_an_address_and_one_needs_none() -> None:
    asked = {one.name for one in understand(facts(**without_some("api_address")), SITE).missing}
    assert asked >= {"api_address"}
    alone = only(composed("k3s_cluster", without_some("api_address", servers_count="1")))
    assert alone.virtual_addresses == ()
    assert variables(alone)["keepalived_address"] == ""
    assert [(end.port, end.machines, end.address) for end in alone.endpoints] == [(6443, ("k3s-server-01",), "")]
    assert [(end.port, end.machines, end.address) for end in part().endpoints] == [(6443, (), "10.20.0.200")]


def variables(made: Part) -> dict[str, Any]:
    assert made.configure is not None and isinstance(made.configure.variables, dict)
    return made.configure.variables


def test_a_part_names_its_secrets_and_holds_none() -> None:
    made = part(rancher="yes", rancher_name="rancher.example.org", volumes="longhorn", ingress="none")
    assert [len(made.of_group(group)) for group in ("servers", "workers")] == [3, 2]
    given = variables(made)
    assert given["k3s_token"] == {"secret": "k3s_token"}
    assert (given["k3s_api_address"], given["keepalived_address"]) == ("10.20.0.200", "10.20.0.200/24")
    assert given["k3s_disable"] == ["traefik", "local-storage"] and "open-iscsi" in given["base_packages"]
    charts = {one["name"]: json.loads(one["content"]) for one in given["k3s_manifests"]}
    assert list(charts) == ["longhorn", "cert-manager", "rancher"], "Rancher comes behind what it needs"
    assert json.loads(charts["rancher"]["spec"]["valuesContent"])["hostname"] == "rancher.example.org"


def test_in_production_no_two_servers_are_on_one_node() -> None:
    made = part(environment="production")
    nodes = [machine.node for machine in made.of_group("servers")]
    assert len(set(nodes)) == 3


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ({"workers_count": "5"}, False),
        ({"workers_count": "1"}, False),
        ({"release": "v1.36.5+k3s1"}, False),
        ({"servers_count": "1"}, True),
    ],
)
def test_a_change_that_would_lose_the_majority_is_refused(said: dict[str, str], is_refused: bool) -> None:
    old = part(release="v1.36.4+k3s1")
    wanted = required("k3s_cluster", without_some(*(["api_address"] if is_refused else []), **said)).parts[0]
    stay = chain.footing(old).stay
    assert stay is not None
    offered = stay(old, wanted, situation(without(four_nodes(), [])))
    assert bool(offered.candidates) is not is_refused


def test_a_worker_less_is_let_go_of_when_it_is_drained() -> None:
    old = part(workers_count="3")
    keep = chain.footing(old).keep
    assert keep is not None
    kept = keep(old, part(workers_count="2"))
    assert [m.name for m in kept.of_group("workers")] == ["k3s-worker-01", "k3s-worker-02"]
    assert kept.lets_go == addresses_of("k3s-worker-03") and kept.farewell == old.farewell


@pytest.mark.parametrize(
    ("said", "subjects"), [({"servers_memory": "8 GB"}, ["other sizes of its servers"]), ({"workers_memory": "8 GB"}, [])]
)
def test_servers_are_not_started_again_all_at_once(said: dict[str, str], subjects: list[str]) -> None:
    old = part()
    stay = chain.footing(old).stay
    assert stay is not None
    offered = stay(old, required("k3s_cluster", without_some(**said)).parts[0], situation(without(four_nodes(), [])))
    assert [one.subject for one in offered.exclusions] == subjects
    assert bool(offered.candidates) is not bool(subjects)


@pytest.mark.parametrize(("release", "is_refused"), [("v1.36.4+k3s1", True), ("v1.36.5+k3s1", False)])
def test_a_release_goes_forward_only(release: str, is_refused: bool) -> None:
    old = part(release="v1.36.5+k3s1")
    assert bool(refusal(old, required("k3s_cluster", without_some(release=release)).parts[0])) is is_refused


def test_a_worker_more_upgrades_nothing_by_itself() -> None:
    old = part(release="v1.36.4+k3s1")
    new = part(workers_count="3")
    keep = chain.footing(old).keep
    assert keep is not None and new.needs.text("release") == "v1.36.5+k3s1"
    kept = keep(old, new)
    assert (variables(kept)["k3s_version"], variables(kept)["k3s_sha256"]) == ("v1.36.4+k3s1", variables(old)["k3s_sha256"])
    field = keep(old, part(release="v1.36.5+k3s1")).needs.field("release")
    assert field is not None and (field.value, field.origin) == ("v1.36.5+k3s1", Origin.SAID)


def test_who_goes_is_drained_first_on_a_server_that_stays() -> None:
    said = part().farewell
    assert [command.machine for command in said] == ["k3s-server-01"] * 2
    assert ["drain" in command.argv[-1] for command in said] == [True, False] and "{leaving}" in said[0].argv[-1]


@pytest.mark.parametrize(
    ("ended", "code", "told"),
    [
        ("Complete", 0, ["cert-manager: installed"]),
        ("Failed", 1, ['"message": "tried 10 times"', 'Error: chart "cert-manager" not found']),
    ],
)
def test_a_chart_that_its_repository_has_not_is_told_with_what_helm_said(tmp_path: Path, ended: str, code: int, told: list[str]) -> None:
    """The line that the verify step runs on a server, before a cluster that answers so."""
    [line] = (command.argv[-1] for command in part(add_ons="cert-manager").commands if "what became of cert-manager" in command.purpose)
    answers = {
        "*/jobs/helm-install-cert-manager*": json.dumps({"status": {"conditions": [{"type": ended, "status": "True"}]}}),
        "*/helmcharts/cert-manager*": json.dumps({"message": "tried 10 times"}),
        "*logs*": 'Error: chart "cert-manager" not found',
    }
    cases = "\n".join(f"{words}) echo '{answer}';;" for words, answer in answers.items())
    (tmp_path / "sudo").write_text(f'#!/bin/sh\ncase "$*" in\n{cases}\nesac\n')
    (tmp_path / "sudo").chmod(0o700)
    done = subprocess.run(["sh", "-c", line], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=False)
    assert (done.returncode, [one for one in told if one not in done.stdout]) == (code, []), done
