"""Anything at all, sent to the API of `berth serve` by somebody who may ask: it is answered or refused, and no fault of the server.
Schemathesis makes the cases from ADK's own description of its API, what fits it and what does not; Hypothesis makes others, about what the
door takes."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import requests
from google.adk.cli.fast_api import get_fast_api_app
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, openapi

from tests.front_ends.served import CASES, berth_serve
from tools.clients.shipped import AGENTS

from .conftest import Tally, many

NAMED = {"authorization": "Bearer token-of-alice-0123456789"}
OWN = {"app_name": "provisioner", "user_id": "user", "session_id": "s1", "artifact_name": "request.json"}
"""Names with which a case gets past the door; without them it is refused there, mostly."""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    token = NAMED["authorization"].removeprefix("Bearer ")
    (tmp_path / "tokens").write_text(f"alice {hashlib.sha256(token.encode()).hexdigest()}\n")
    (tmp_path / "roles.yaml").write_text("principals:\n  alice: [requester]\n")
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "VIRTUAL_ENV") if name in os.environ}
    environment |= {"BERTH_HOME": str(tmp_path / "home"), "BERTH_ROLES_FILE": str(tmp_path / "roles.yaml")}
    limits = {"messages_a_minute": 10**6, "requests_a_minute": 10**6}
    with berth_serve(tmp_path, environment, tokens_file=str(tmp_path / "tokens"), **limits) as served:
        httpx.post(f"{served.url}/apps/provisioner/users/user/sessions", headers=NAMED, json={"sessionId": "s1"}).raise_for_status()
        yield served.url


def described() -> st.SearchStrategy[Case]:
    """Of every operation that ADK's server has, in both front ends and for developers: some cases name what is there."""
    adk = get_fast_api_app(agents_dir=str(AGENTS), web=True).openapi()
    operations = [one.ok() for one in openapi.from_dict(adk).get_all_operations()]
    assert len(operations) > 50, "all of ADK's"
    strategies = []
    for one in operations:
        own = {name: value for name, value in OWN.items() if f"{{{name}}}" in one.path}
        # What is open is tried more often than what is closed whatever is sent.
        for given_ in ({}, own) if one.path.startswith(("/apps", "/run", "/list")) else ({},):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if given_ and mode is GenerationMode.NEGATIVE and one.method != "post":
                    continue
                strategies.append(one.as_strategy(mode, path_parameters=given_ or None) if given_ else one.as_strategy(mode))
    return st.one_of(strategies)


@pytest.mark.filterwarnings("ignore")  # Of Hypothesis, about strategies of schemathesis.
def test_no_case_by_adks_own_description_is_a_fault_of_the_server(url: str, tally: Tally) -> None:
    answered: Counter[int] = Counter()
    cases = described()
    with requests.Session() as session:

        def sent(case: Case) -> None:
            answer = case.call(base_url=url, session=session, headers=NAMED, timeout=60)
            answered[answer.status_code] += 1
            assert answer.status_code < 500, answer.text

        tried = many(given(cases)(sent), tally.wanted("API cases"), case=cases)()
    assert answered[200] and answered[400] and answered[404], answered
    tally.done("API cases", tried)


def test_no_case_of_what_the_door_takes_is_a_fault_of_the_server(url: str, tally: Tally) -> None:
    answered: Counter[int] = Counter()
    # A server closes what was idle for 5 s: no case may go out into a connection that is just being closed.
    with httpx.Client(base_url=url, headers=NAMED, timeout=60, limits=httpx.Limits(keepalive_expiry=1)) as client:

        def sent(case: tuple[str, str, bytes]) -> None:
            method, path, body = case
            answer = client.request(method, quote(path, errors="surrogatepass"), content=body)
            answered[answer.status_code] += 1
            assert answer.status_code < 500, answer.text

        tried = many(given(CASES)(sent), tally.wanted("API cases of the door"), case=CASES)()
    assert answered[200] and answered[400] and answered[404], answered
    tally.done("API cases of the door", tried)
