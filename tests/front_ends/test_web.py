"""The web UI in headless Chromium: typed into and read as a person would, and looked at in a picture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from cluster_sim.run import environment
from tests.conftest import ROOT, answers, free_port, wait_until
from tests.stories.test_postgresql import SENTENCE

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


@pytest.fixture(scope="module")
def web(emulated_cluster: tuple[dict[str, Any], Path]) -> Iterator[str]:
    ready, folder = emulated_cluster
    given = environment(ready, folder) | {"BERTH_HOME": str(folder / "web_home")}
    port = free_port()
    command = [str(Path(sys.executable).with_name("adk")), "web", "--port", str(port), "--session_service_uri", "memory://"]
    with (folder / "web.log").open("wb") as out:
        process = subprocess.Popen(
            [*command, "--artifact_service_uri", "memory://", "agents"], cwd=ROOT, env=given, stdout=out, stderr=out
        )
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}"), 60)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def page(web: str) -> Iterator[Page]:
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = browser.new_page(viewport={"width": 1500, "height": 1300})
        opened.goto(f"{web}/dev-ui/?app=provisioner")
        opened.wait_for_selector("textarea")
        yield opened
        browser.close()


def _say(page: Page, text: str) -> None:
    page.wait_for_timeout(1000)
    page.fill("textarea", text)
    page.press("textarea", "Enter")


def test_a_plan_is_shown_as_a_table_a_diagram_and_a_picture_and_is_carried_out(page: Page, tmp_path: Path) -> None:
    _say(page, SENTENCE)
    page.wait_for_function("document.body.innerText.match(/approve [0-9a-f]{12}/)", timeout=60_000)
    page.wait_for_selector("table")
    page.wait_for_selector("svg .node, svg[id^=mermaid]")
    page.wait_for_selector("img[src*=svg], img[src^=data]")
    picture = tmp_path / "web-plan.png"
    page.wait_for_timeout(2000)
    page.screenshot(path=picture)
    assert picture.stat().st_size > 50_000
    if kept := os.environ.get("BERTH_KEEP_SCREENSHOTS"):
        shutil.copy(picture, kept)
    digest = page.evaluate("document.body.innerText.match(/approve ([0-9a-f]{12})/)[1]")
    _say(page, f"approve {digest}")
    page.wait_for_function("document.body.innerText.match(/Run run-[0-9a-z]+ is done/)", timeout=120_000)


def test_the_files_of_the_run_folder_can_be_read_in_place(page: Page) -> None:
    _say(page, SENTENCE)
    page.wait_for_function("document.body.innerText.match(/approve [0-9a-f]{12}/)", timeout=60_000)
    page.get_by_text("Artifacts").first.click()
    page.wait_for_function("document.body.innerText.includes('main.tf')", timeout=20_000)
