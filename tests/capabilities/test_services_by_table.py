"""Services that are a table: each one's own cases, from words to the variables of its playbook, and what holds for all of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from clusters import SITE, facts, four_nodes
from machine_chain import reviewed, situation

from tests.hearing.facts import said
from tools import capabilities
from tools.capabilities import by_table, catalogue, chain
from tools.clients.ansible import options_of
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Manifest, Part
from tools.values.request import Request
from tools.values.requirements import Origin
from tools.values.review import Severity
from tools.values.site import Acme, Site

FOLDER = Path(capabilities.__file__).parent
ANSIBLE = FOLDER.parents[1] / "ansible"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/service.toml"))
CASES = [(name, words, case) for name in NAMES for words, case in tomllib.loads((FOLDER / name / "cases.toml").read_text()).items()]


def composed(request: Request, site: Site = SITE) -> Manifest:
    requirements = chain.understand(request, site, "operator")
    assert requirements.complete, (requirements.parts[0].missing, requirements.parts[0].problems)
    offer = chain.offer(requirements, situation(four_nodes()))
    return chain.compose(requirements, offer, pick_by_rule(offer), situation(four_nodes()))


@pytest.mark.parametrize(("name", "words", "case"), CASES, ids=[words[:50] for _, words, _ in CASES])
def test_words_come_to_what_the_services_own_cases_say(name: str, words: str, case: dict[str, Any]) -> None:
    request = said(words)
    [needs] = chain.understand(request, SITE, "operator").parts
    assert needs.capability == name
    assert [one.name for one in needs.missing] == case.get("missing", [])
    assert len(needs.problems) == bool(case.get("problem"))
    assert all(word in needs.problems[0] for word in case.get("problem", []))
    assert needs.not_included == ()
    fields = {field.name: list(field.value) if isinstance(field.value, tuple) else field.value for field in needs.fields}
    assert {field: fields.get(field) for field in case.get("fields", {})} == case.get("fields", {})
    if "variables" in case:
        manifest = composed(request)
        [part] = manifest.parts
        assert [one.check for one in reviewed(manifest).findings if one.check in case.get("notes", [])] == case.get("notes", [])
        assert part.configure is not None
        assert {variable: part.configure.variables[variable] for variable in case["variables"]} == case["variables"]


@pytest.mark.parametrize("name", NAMES)
def test_each_example_becomes_a_part_that_reviews_clean_and_is_used_by_its_guide(name: str) -> None:
    service = catalogue()[name]
    for example in service.EXAMPLES:
        manifest = composed(said(example))
        review = reviewed(manifest)
        assert [one for one in review.findings if one.severity is not Severity.NOTE] == [], example
        [part] = manifest.parts
        assert part.capability == name, example
        _assert_whole(part)


def _assert_whole(part: Part) -> None:
    """Its playbook takes what it is handed, its secrets are named, and every command has what it says filled in."""
    assert part.configure is not None
    specs = yaml.safe_load((ANSIBLE / "roles" / part.capability / "meta" / "argument_specs.yml").read_text())
    role = specs["argument_specs"]["main"]["options"]
    own = {name for name in part.configure.variables if not name.startswith("base_")}
    assert own <= options_of(ANSIBLE, part.configure.playbook)
    assert {name for name, told in role.items() if told.get("required")} <= own
    named = {value["secret"] for value in part.configure.variables.values() if isinstance(value, dict)}
    assert named == {one.name for one in (*part.secrets, *part.certificates)} - {"ssh_key"}
    for command in part.commands:
        assert not any("{{" in word.replace("{{.", "") or "{%" in word for word in command.argv), command.argv
    assert {command.machine for command in part.commands} == {machine.name for machine in part.machines}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_assumed_lies_in_its_range_and_says_its_source(name: str) -> None:
    needs = catalogue()[name].ON["proxmox"].understand(facts(environment="production", network="20"), SITE)
    assumed = [field for field in needs.fields if field.origin is Origin.ASSUMED]
    assert {field.name for field in assumed} == set(by_table.SIZES)
    for field in assumed:
        assert field.low is not None and field.high is not None and field.source is not None
        assert 0 < field.low <= float(field.value) <= field.high  # type: ignore[arg-type]
        assert field.because and field.source.title and field.source.date


@pytest.mark.parametrize("name", ["reverse_proxy", "web_tier"])
def test_where_the_site_has_an_acme_server_the_machines_ask_it_and_berth_makes_no_certificate(name: str) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    acme = Acme(directory="https://ca.example.org/acme/dir", authority=pem)
    [example] = [one for one in catalogue()[name].EXAMPLES if "shop.example.org" in one]
    manifest = composed(said(example), SITE.model_copy(update={"acme": acme}))
    [part] = manifest.parts
    assert part.configure is not None and part.certificates == ()
    told = {name: value for name, value in part.configure.variables.items() if "acme" in name or "certificate" in name}
    assert told == {"acme_directory": acme.directory, "acme_authority": acme.authority, "acme_site_name": "shop.example.org"}
    assert set(told) <= options_of(ANSIBLE, part.configure.playbook)
    assert [one.severity for one in reviewed(manifest).findings if one.check == "certificate"] == [Severity.NOTE]
    assert not [one for one in part.endpoints if one.certificate]


def test_data_that_was_said_has_room_on_the_disk_and_room_to_grow() -> None:
    for name in NAMES:
        if "data_size" in {one.name for one in catalogue()[name].WANTED}:
            needs = catalogue()[name].ON["proxmox"].understand(facts(data_size="500 GB", environment="production", network="20"), SITE)
            disk = needs.field("disk_gib")
            assert disk is not None and disk.low is not None
            assert disk.low >= 508 and int(disk.value) > disk.low  # type: ignore[call-overload]


@pytest.mark.parametrize("name", NAMES)
def test_no_words_of_a_fact_reach_a_command_unless_they_are_of_the_form_that_was_stated(name: str) -> None:
    """What is typed stands in lines of a shell: nothing that a shell reads may pass."""
    table = by_table.read(f"tools.capabilities.{name}")
    wanted = {one.name: one for one in catalogue()[name].WANTED}
    for fact in (one for one in table.facts if wanted[one].kind in ("text", "address", "name")):
        for hostile in ("x; reboot", "$(reboot)", "`reboot`", "a'b", 'a"b', "{{ lookup('pipe','id') }}", "a\nb", "x|y"):
            needs = catalogue()[name].ON["proxmox"].understand(facts(**{fact: hostile, "environment": "production", "network": "20"}), SITE)
            assert len(needs.problems) == 1 and needs.problems[0].endswith("."), (fact, hostile)
            assert needs.field(fact) is None
