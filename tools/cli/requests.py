"""Requests as files."""

from __future__ import annotations

from typing import TextIO

import click

from tools.cli.group import in_words, json_option, main, our_world, print_json, say


@main.group()
def request() -> None:
    """Requests as files: show, export and apply them."""


@request.command("show")
@click.argument("name")
@json_option
@in_words
def request_show(name: str, as_json: bool) -> None:
    """Show what a conversation, or a request that was applied, asks for."""
    from tools.pipeline import requests
    from tools.rules.words import telling
    from tools.rules.words.rendering import draw

    now = requests.find(our_world(), name)
    if as_json:
        print_json({"request": now.request, "doubts": now.doubts})
        return
    say(draw(telling.request(now.request, now.doubts)))


@request.command("export")
@click.argument("name")
@json_option
@in_words
def request_export(name: str, as_json: bool) -> None:
    """Print the request of a conversation as a file, in YAML (or in JSON, which `berth request apply` reads as well)."""
    import yaml

    from tools.pipeline import requests
    from tools.rules.request.filing import as_yaml

    file = as_yaml(requests.find(our_world(), name).request)
    if as_json:
        print_json(yaml.safe_load(file))
    else:
        say(file, nl=False)


@request.command("apply")
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"))
@click.option("--requester", default="", metavar="NAME", help="Who is to take it up, where there are tenants: it is kept in theirs.")
@click.option("--tenant", default="", metavar="NAME", help="Which of their tenants, where they are in several.")
@json_option
@in_words
def request_apply(file: TextIO, requester: str, tenant: str, as_json: bool) -> None:
    """Read a request from FILE (`-`: what is piped in), say what it comes to, and keep it for a conversation to take up."""
    from tools.pipeline import requests
    from tools.pipeline.provisioning import as_asked_by
    from tools.rules.words import telling
    from tools.rules.words.rendering import draw

    world = our_world()
    name, _, required = requests.take_in(as_asked_by(requester or world.settings.operator, world, tenant), file.read())
    if as_json:
        print_json({"kept_as": name, "requirements": required})
        return
    say(draw(telling.requirements(required, ()) if required.complete else telling.questions(required, (), in_file=True)))
    say(f"\nKept as {name}. Say `resume {name}` in berth chat, web or api: it is planned there, and approved.")
