"""Goals that are stated instead of things: what is added, what is asked, and where nothing is a goal."""

from __future__ import annotations

import pytest

from tools.capabilities import catalogue
from tools.rules.request.editing import apply
from tools.rules.request.goals import goal_edits, goals, hear
from tools.values.request import Request

NONE = Request()
STATED = [
    ("Create a production workspace for ML team", {"databricks": "databricks"}, 0),
    ("we need an ML platform", {"databricks": "databricks", "azure_openai": "azure_openai"}, 3),
    ("A platform for our data scientists, please.", {"databricks": "databricks", "azure_openai": "azure_openai"}, 3),
    ("a web shop on network 20, production", {"web_server": "web_server", "postgresql": "postgresql"}, 1),
    ("Deploy a web application with load balancing", {"web_server": "web_server"}, 1),
    ("CI for twelve developers", {"ci": "virtual_machine"}, 1),
    ("we want to start a blog", {"blog": "virtual_machine"}, 1),
    ("set up the wiki for the lab", {"wiki": "virtual_machine"}, 1),
    ("We need a SIEM.", {"security_monitoring": "virtual_machine"}, 0),
    ("Outline for 50 people, production", {"outline": "virtual_machine"}, 0),
    ("need Plane", {"plane": "virtual_machine"}, 0),
]


@pytest.mark.parametrize(("text", "items", "doubts"), STATED)
def test_certain_things_are_added_and_doubtful_ones_asked(text: str, items: dict[str, str], doubts: int) -> None:
    edits = goal_edits(text, NONE, catalogue())
    assert edits is not None
    assert {edit.item: edit.name for edit in edits.edits if edit.do == "add"} == items
    assert len(edits.doubts) == doubts
    assert all(edit.quote in text for edit in edits.edits)
    assert all(reading.text for doubt in edits.doubts for reading in doubt.readings)


NOT_STATED = [
    "no web shop, thanks",
    "I read on the wiki that you can help",
    "hello",
    "what do you know of our CI?",
    "the platform is slow. ML is hard.",
    "Outline the plan for me",
    "Sure, go ahead",
    "a trip for 20 people",
    "",
]


@pytest.mark.parametrize("text", NOT_STATED)
def test_words_that_ask_for_nothing_are_no_goal(text: str) -> None:
    assert goal_edits(text, NONE, catalogue()) is None


def test_whoever_names_a_thing_gets_that_thing() -> None:
    heard = hear("a web server for our web shop, production, network 20", NONE, catalogue())
    assert [edit.name for edit in heard.edits if edit.do == "add"] == ["web_server"]


def test_what_else_is_said_is_read_as_of_things_that_were_named() -> None:
    heard = hear("CI for twelve developers on network 20, production, 4 cores and 16 GB", NONE, catalogue())
    said = {edit.name: edit.value for edit in heard.edits if edit.do == "set"}
    assert said == {"users": "12", "network": "20", "environment": "production", "cpu_count": "4", "memory": "16 GB"}
    assert heard.unused == ()
    assert [one.text for one in heard.doubts[0].readings] == ["Jenkins", "GitLab", "Forgejo"]


def test_a_second_message_is_about_what_the_first_asked_for() -> None:
    request, _ = apply(NONE, hear("a web shop on network 20, production", NONE, catalogue()), catalogue())
    assert not any(edit.do == "add" for edit in hear("the web shop has 200 users", request, catalogue()).edits)


def test_every_goal_asks_for_what_can_be_made() -> None:
    able = catalogue()
    applications = dict(next(one for one in able["virtual_machine"].WANTED if one.name == "application").choices)
    for goal in goals():
        assert goal.items or goal.applications, goal.name
        assert set(goal.applications) <= set(applications), goal.name
        edits = goal_edits(" ".join(("we need a", *(words[0] for words in goal.words))), NONE, able)
        assert edits is not None, goal.name
        for doubt in edits.doubts:
            for reading in doubt.readings:
                _, refused = apply(apply(NONE, edits, able)[0], edits.model_copy(update={"edits": reading.edits}), able)
                assert refused == (), (goal.name, reading.text)
