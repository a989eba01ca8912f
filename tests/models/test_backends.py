"""Every model back-end at the wire: the same conversation through Gemini, Anthropic and Azure OpenAI, on good days and bad ones.

A model may help or fail; the plan is the same, the request never depends on it, and nothing it says is shown or believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.authority import make_authority
from cluster_sim.http import Server
from cluster_sim.run import environment
from tests.conftest import Berth, Chat, api_server
from tests.models.providers import Providers
from tests.stories.test_postgresql import SENTENCE

INCOMPLETE = "I need a PostgreSQL database for 100 concurrent users"
BACKENDS = {
    "gemini": {"GOOGLE_API_KEY": "k-123456", "GOOGLE_GEMINI_BASE_URL": "{url}"},
    "anthropic": {
        "BERTH_MODEL_FAST": "anthropic/claude-standin",
        "BERTH_MODEL_PRO": "anthropic/claude-standin",
        "ANTHROPIC_API_KEY": "k-123456",
        "ANTHROPIC_API_BASE": "{url}",
    },
    "azure": {
        "BERTH_MODEL_FAST": "azure/gpt-standin",
        "BERTH_MODEL_PRO": "azure/gpt-standin",
        "AZURE_API_KEY": "k-123456",
        "AZURE_API_BASE": "{url}",
        "AZURE_API_VERSION": "2025-04-01-preview",
    },
}


@pytest.fixture(scope="module", params=list(BACKENDS))
def backend(
    request: pytest.FixtureRequest, emulated_cluster: tuple[dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Berth, Providers]]:
    """(a server whose agents run on this provider, the provider)."""
    ready, folder = emulated_cluster
    here = tmp_path_factory.mktemp(request.param)
    providers = Providers()
    authority = make_authority(here / "ca")
    server = Server(providers.answer, authority.server_tls("models")).start()
    settings = {name: value.format(url=f"https://localhost:{server.port}") for name, value in BACKENDS[request.param].items()}
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(authority.ca_file))
    given = environment(ready, folder) | trust | settings | {"BERTH_HOME": str(here / "home"), "BERTH_MODEL_TIMEOUT_S": "3"}
    with api_server(given, here / "api_server.log") as berth:
        yield berth, providers
    server.stop()


def _say(backend: tuple[Berth, Providers], mode: str, text: str) -> tuple[Chat, str, Providers]:
    berth, providers = backend
    providers.mode = mode
    providers.requests.clear()
    providers.prompts.clear()
    chat = berth.chat()
    return chat, chat.say(text).text, providers


def users(chat: Chat) -> str:
    """How many were heard."""
    [item] = chat.now.request.items
    return next((fact.value for fact in item.facts if fact.name == "users"), "")


def test_a_model_hears_and_proposes_in_two_calls(backend: tuple[Berth, Providers]) -> None:
    chat, text, providers = _say(backend, "normal", SENTENCE)
    assert chat.open_digest and chat.part.label == "db", text
    assert [(m.cpu_count, m.memory_mib) for m in chat.machines] == [(2, 4096)]
    assert len(providers.requests) == 2
    assert "did not answer" not in text
    assert chat.part.because.startswith("The model's reason: it leaves more room to others.")
    assert sum(len(p) for p in providers.prompts) // 4 <= 4000, "at most 4,000 tokens in all"


@pytest.mark.parametrize("mode", ["429", "500", "slow", "blocked"])
def test_a_model_that_fails_is_told_of_and_done_without(backend: tuple[Berth, Providers], mode: str) -> None:
    chat, text, _ = _say(backend, mode, INCOMPLETE)
    assert "so the rules go on without it" in text, text
    assert users(chat) == "100"
    assert "secret-detail" not in text and "0123456789ab" not in text


@pytest.mark.parametrize("mode", ["malformed", "prose"])
def test_a_model_that_talks_nonsense_changes_nothing(backend: tuple[Berth, Providers], mode: str) -> None:
    chat, text, providers = _say(backend, mode, INCOMPLETE)
    assert users(chat) == "100", text
    assert "0123456789ab" not in text, "its prose is never shown"
    assert len(providers.requests) <= 6


def test_a_requirement_that_was_never_typed_does_not_pass(backend: tuple[Berth, Providers]) -> None:
    chat, text, _ = _say(backend, "invented", INCOMPLETE)
    assert "9000" not in text and "9,000" not in text
    assert users(chat) == "100", text
