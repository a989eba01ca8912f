"""Commands that start a conversation, a simulated world, a service or a server of other agents' protocols."""

from __future__ import annotations

from pathlib import Path

import click

from tools import starting
from tools.cli.group import OTHERS, any_words, in_words, main


@main.command(context_settings=OTHERS)
@any_words
@in_words
def chat(words: tuple[str, ...]) -> None:
    """Talk in the terminal (`adk run`, with its options)."""
    starting.front_end("run", words)


@main.command(context_settings=OTHERS)
@any_words
@in_words
def web(words: tuple[str, ...]) -> None:
    """Talk in the browser, on http://127.0.0.1:8000 (`adk web`)."""
    starting.front_end("web", words)


@main.command(context_settings=OTHERS)
@any_words
@in_words
def api(words: tuple[str, ...]) -> None:
    """Talk over HTTP, on http://127.0.0.1:8000 (`adk api_server`)."""
    starting.front_end("api_server", words)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@in_words
def serve(file: Path) -> None:
    """Serve the web UI and the API to several people, as FILE says (docs/serving.md)."""
    starting.service(file)


@main.command(context_settings=OTHERS)
@any_words
@in_words
def sim(words: tuple[str, ...]) -> None:
    """Run a command in a simulated world: berth sim four_nodes -- berth chat."""
    starting.simulator("cluster_sim.run", *words)


@main.command()
@in_words
def demo() -> None:
    """Watch a sentence become a verified PostgreSQL server, in a simulated cluster."""
    starting.simulator("cluster_sim.demo", "berth", "chat")


@main.command()
@click.option("--requester", default="", help="In whose name it asks; default: the operator of the settings.")
@click.option("--tenant", default="", metavar="NAME", help="Which of their tenants it asks in, where the requester is in several.")
@click.option("--http", is_flag=True, help="Streamable HTTP on loopback, in the place of standard input and output.")
@click.option("--port", default=8765, show_default=True, help="With --http.")
@in_words
def mcp(requester: str, tenant: str, http: bool, port: int) -> None:
    """Serve Berth to other agents (MCP): services, requests, plans and how far runs are. It never approves."""
    starting.assert_installed("mcp", "mcp", "The MCP server")
    from tools.clients.settings import Settings
    from tools.pipeline.mcp_server import server

    made = server(requester or Settings.from_environment().operator, tenant)
    if http:
        made.run("streamable-http", port=port)
    else:
        made.run("stdio")
