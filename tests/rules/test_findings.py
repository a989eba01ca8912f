"""Findings are kinds with data, and every kind has its words: each name that the words speak of is among the data that the check hands
over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import meta

from tools.rules.words.findings import detail, remedy, review_json, sentence, words
from tools.rules.words.rendering import own
from tools.values.offer import Sum
from tools.values.review import Finding, Review, fault

TOOLS = Path(__file__).parents[2] / "tools"
BERTHS_OWN = "text"
SUM = Sum(subject="memory of pve2", unit="MiB", terms=(("promised", 8192.0), ("this request", 4096.0)), total=12288.0, limit=8192.0)


def _faults() -> Iterator[tuple[str, frozenset[str]]]:
    """(kind, names of the data) of every `fault(…)` in the source."""
    for file in TOOLS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fault":
                kind = node.args[0]
                assert isinstance(kind, ast.Constant), f"{file}:{node.lineno}: a kind is a name that can be looked up"
                yield str(kind.value), frozenset(str(keyword.arg) for keyword in node.keywords)


def _finding(kind: str, **data: object) -> Finding:
    return fault(kind, **data).finding("a.check", "db", "db-01")  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "names"), sorted(set(_faults()), key=str))
def test_the_words_of_a_kind_speak_of_its_data_only(kind: str, names: frozenset[str]) -> None:
    said = words(kind)[kind]
    assert set(said) <= {"detail", "remedy"}
    for text in said.values():
        assert meta.find_undeclared_variables(own().parse(text)) - {"label"} <= names


def test_no_kind_has_words_that_no_check_needs() -> None:
    folders = ["", *(file.parent.name for file in TOOLS.glob("capabilities/*/findings.toml"))]
    known = {kind for folder in folders for kind in words(f"{folder}:" if folder else BERTHS_OWN)}
    assert known == {kind for kind, _ in _faults()}


@pytest.mark.parametrize("datum", [True, 1, 1.5, "x", None, SUM, ("a", "b"), (("a", "b"), ("c", "d")), ()])
def test_a_finding_is_stored_and_read_as_it_was(datum: object) -> None:
    finding = _finding("name.taken", datum=datum)
    read = Finding.model_validate_json(finding.model_dump_json())
    assert read == finding
    assert type(read.data[0][1]) is type(datum)


def test_words_are_made_of_the_data() -> None:
    finding = _finding("memory.full", sum=SUM, share=0.8)
    assert SUM.spelt in detail(finding) and "80%" in detail(finding)
    assert sentence(finding) == f"db-01: {detail(finding)}"


def test_what_a_name_holds_is_never_taken_for_a_template() -> None:
    assert "{{ 7 * 7 }}" in detail(_finding("name.promised", name="{{ 7 * 7 }}"))


@pytest.mark.parametrize("kind", ["of.tomorrow", "no_such_capability:size", "postgresql:of.tomorrow"])
def test_a_kind_of_another_berth_is_told_by_its_data(kind: str) -> None:
    finding = _finding(kind, vm_id=110)
    assert (detail(finding), remedy(finding)) == (f"{kind}: vm_id 110.", "")


def test_a_run_folder_gets_the_words_beside_the_data() -> None:
    review = Review(manifest_digest="0" * 64, findings=(_finding("name.twice", name="db-01"),))
    (said,) = review_json(review)["findings"]
    assert (said["kind"], said["detail"]) == ("name.twice", "Two machines are called db-01.")
