"""Anything at all, sent to the API of `berth serve` by somebody who may ask: it is answered or refused, and no fault of the server."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import httpx
from hypothesis import given

from tests.front_ends.served import CASES, berth_serve

from .conftest import Tally, many

TOKEN = "token-of-alice-0123456789"


def test_no_case_is_a_fault_of_the_server(tmp_path: Path, tally: Tally) -> None:
    (tmp_path / "tokens").write_text(f"alice {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    (tmp_path / "roles.yaml").write_text("principals:\n  alice: [requester]\n")
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "VIRTUAL_ENV") if name in os.environ}
    environment |= {"BERTH_HOME": str(tmp_path / "home"), "BERTH_ROLES_FILE": str(tmp_path / "roles.yaml")}
    often, answered = 10**6, Counter[int]()
    limits = {"messages_a_minute": often, "requests_a_minute": often}
    named = {"authorization": f"Bearer {TOKEN}"}
    with (
        berth_serve(tmp_path, environment, tokens_file=str(tmp_path / "tokens"), **limits) as served,
        # A server closes what was idle for 5 s: no case may go out into a connection that is just being closed.
        httpx.Client(base_url=served.url, headers=named, timeout=60, limits=httpx.Limits(keepalive_expiry=1)) as client,
    ):

        def sent(case: tuple[str, str, bytes]) -> None:
            method, path, body = case
            answer = client.request(method, quote(path, errors="surrogatepass"), content=body)
            answered[answer.status_code] += 1
            assert answer.status_code < 500, answer.text

        tried = many(given(CASES)(sent), tally.wanted("API cases"), case=CASES)()
    assert answered[200] and answered[400] and answered[404], answered
    tally.done("API cases", tried)
