"""What every command shares: the group, its options, how trouble is told, and how a value is printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

import click

from tools.values.trouble import RequestProblem, WorldProblem

if TYPE_CHECKING:
    from tools.pipeline.world import World
    from tools.values.effects import Tell

P = ParamSpec("P")
PERSON, WORLD = 2, 3
"""Exit codes: the person must change something; the world refused or is away."""


def in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Trouble of both kinds is a sentence, or a document with --json, and an exit code; never a traceback."""

    def tell(trouble: RequestProblem | WorldProblem, as_json: object) -> None:
        if as_json:
            print_json({"trouble": {"summary": trouble.summary, "detail": trouble.detail, "remedy": trouble.remedy}})
        else:
            say(str(trouble), err=True)

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except RequestProblem as problem:
            tell(problem, kwargs.get("as_json"))
            sys.exit(PERSON)
        except WorldProblem as problem:
            tell(problem, kwargs.get("as_json"))
            sys.exit(WORLD)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="berth")
def main() -> None:
    """Berth: from a sentence to running, verified infrastructure.

    The conversation is in `berth chat`, `berth web` and `berth api`, which are ADK's own front ends. Settings come from the environment;
    .env.example says what each one is.
    """


json_option = click.option("--json", "as_json", is_flag=True, help="Print it as one JSON document.")
any_words = click.argument("words", nargs=-1, type=click.UNPROCESSED)
OTHERS = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}
"""For what another program reads: its options, and its own help."""


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Whoever wrote it (a cluster, a file, whoever called), it does not steer the terminal."""
    from tools.rules.names.foreign import seen

    click.echo(seen(text), err=err, nl=nl)


def print_json(value: object) -> None:
    import json

    from pydantic_core import to_jsonable_python

    click.echo(json.dumps(to_jsonable_python(value), ensure_ascii=False))


def tell_drawn(tell: Tell) -> None:
    """Drawn in a terminal, Markdown for whatever else reads it."""
    from tools.rules.words.drawing import draw_markdown
    from tools.rules.words.rendering import draw

    text = draw(tell)
    click.echo(draw_markdown(text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else text)


def our_world() -> World:
    from tools.pipeline.world import open_world

    return open_world()
