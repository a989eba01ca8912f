"""`berth hear`: what a message asks for, and nothing done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import click

from tools import starting
from tools.cli.group import in_words, json_option, main, print_json, say

if TYPE_CHECKING:
    from tools.pipeline.hearing import ByModel
    from tools.values.value import Json


@main.command()
@click.argument("file", default="-", type=click.File(encoding="utf-8", errors="replace"))
@json_option
@click.option(
    "--world", type=click.File(encoding="utf-8"), help="A document that lists `nodes` and `networks`: their names are understood."
)
@click.option("--model", is_flag=True, help="Have the configured model read it first.")
@in_words
def hear(file: TextIO, as_json: bool, world: TextIO | None, model: bool) -> None:
    """Show the request that a message makes. FILE holds it, or `-` for what is piped in; a line `---` parts several messages.

    Nothing is looked up, planned or kept. The rules read it, and with --model the configured model reads it first.
    """
    if model:
        starting.reader(["--json"] * as_json + (["--world", world.name] if world else []) + [file.name if file.name != "<stdin>" else "-"])
    _show_heard(file, as_json, world, None)


def print_heard(words: list[str], by_model: ByModel) -> None:
    """The same, read by a model."""
    found = hear.make_context("berth hear", words).params
    _show_heard(found["file"], found["as_json"], found["world"], by_model)


def _show_heard(file: TextIO, as_json: bool, world: TextIO | None, by_model: ByModel | None) -> None:
    import re
    from datetime import date

    import yaml

    from tools.clients.settings import Settings
    from tools.pipeline.hearing import Hearing
    from tools.pipeline.world import read_site
    from tools.rules.hearing.known import NOTHING_KNOWN, known_of
    from tools.rules.words.rendering import text

    known = known_of(yaml.safe_load(world)) if world else NOTHING_KNOWN
    hearing = Hearing(read_site(Settings.from_environment()), date.today(), by_model=by_model, known=known)
    heard: dict[str, Json] = {}
    for message in re.split(r"^---[ \t]*$", file.read(), flags=re.MULTILINE):
        heard = hearing.hear(message.strip("\n"))
    if as_json:
        print_json(heard)
    else:
        say(text("request.heard", heard))
