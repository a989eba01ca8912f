"""The web UI as a process, and a page of it in headless Chromium, for tests that type and read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.conftest import ROOT, answers, free_port, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def web_ui(given: Mapping[str, str], log: Path) -> Iterator[str]:
    """`adk web` with the provisioner; its address."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("adk")), "web", "--port", str(port), "agents"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(given), stdout=out, stderr=out)
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}"), 60)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def open_page(url: str) -> Iterator[Page]:
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = browser.new_page(viewport={"width": 1500, "height": 1300})
        opened.goto(f"{url}/dev-ui/?app=provisioner")
        opened.wait_for_selector("textarea")
        yield opened
        browser.close()


@contextmanager
def two_people(url: str, issuer: str, first: str, second: str) -> Iterator[tuple[Page, Page]]:
    """A page of each, in contexts that share nothing, once they are logged in with the provider."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        pages = []
        for name in (first, second):
            context = browser.new_context(viewport={"width": 1500, "height": 1300})
            context.add_cookies([{"name": "who", "value": name, "url": issuer}])
            pages.append(context.new_page())
            pages[-1].goto(f"{url}/dev-ui/?app=provisioner")
            pages[-1].wait_for_selector("textarea", timeout=60_000)
        yield pages[0], pages[1]
        browser.close()


def wait_for_words(page: Page, pattern: str, seconds_max: float) -> str:
    """What the regular expression's last group matches in the page, once it does. Looked for twice a second: each look lays the page
    out anew, and a page that is always being laid out has no time to show anything."""
    script = "(pattern) => document.body.innerText.match(new RegExp(pattern))?.slice(-1)[0]"
    page.wait_for_function(script, arg=pattern, timeout=seconds_max * 1000, polling=500)
    return str(page.evaluate(script, pattern))


def type_message(page: Page, text: str) -> None:
    page.wait_for_timeout(1000)
    page.fill("textarea", text)
    page.press("textarea", "Enter")
