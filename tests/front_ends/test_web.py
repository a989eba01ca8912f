"""The web UI in headless Chromium: typed into and read as a person would, and looked at in a picture."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from cluster_sim.run import environment
from tests.front_ends.browser import open_page, type_message, wait_for_words, web_ui
from tests.stories.test_postgresql import SENTENCE


@pytest.fixture(scope="module")
def web(emulated_cluster: tuple[dict[str, Any], Path]) -> Iterator[str]:
    ready, folder = emulated_cluster
    with web_ui(environment(ready, folder) | {"BERTH_HOME": str(folder / "web_home")}, folder / "web.log") as url:
        yield url


@pytest.fixture
def page(web: str) -> Iterator[Page]:
    with open_page(web) as opened:
        yield opened


def test_a_plan_is_a_card_with_a_picture_its_details_a_table_and_a_diagram_and_it_is_carried_out(page: Page, tmp_path: Path) -> None:
    type_message(page, SENTENCE)
    digest = wait_for_words(page, "approve ([0-9a-f]{12})", 60)
    page.wait_for_selector("img[src*=svg], img[src^=data]")
    picture = tmp_path / "web-plan.png"
    page.wait_for_timeout(2000)
    page.screenshot(path=picture)
    assert picture.stat().st_size > 50_000
    if kept := os.environ.get("BERTH_KEEP_SCREENSHOTS"):
        shutil.copy(picture, kept)
    type_message(page, "details")
    page.wait_for_selector("table")
    page.wait_for_selector("svg .node, svg[id^=mermaid]")
    type_message(page, f"approve {digest}")
    wait_for_words(page, "run-[0-9a-z]+ is done", 120)


def test_the_files_of_the_run_folder_can_be_read_in_place(page: Page) -> None:
    type_message(page, SENTENCE)
    wait_for_words(page, "approve [0-9a-f]{12}", 60)
    page.get_by_text("Artifacts").first.click()
    wait_for_words(page, "main.tf", 20)
