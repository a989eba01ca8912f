"""The command line `berth`: it starts the conversation, and answers what is asked of a site rather than in one. Each command calls one
function and prints what it says. What a command needs is loaded when it runs: `berth chat` is in a hurry and needs almost nothing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TextIO

import click

from tools import starting
from tools.values.trouble import RequestProblem, WorldProblem

if TYPE_CHECKING:
    from tools.ledger.reservations import Promise
    from tools.pipeline.hearing import ByModel
    from tools.pipeline.world import World
    from tools.values.effects import Tell
    from tools.values.value import Json

P = ParamSpec("P")
PERSON, WORLD = 2, 3
"""Exit codes: the person must change something; the world refused or is away."""
_DONE = {"create": "made anew", "update": "changed back", "replace": "replaced", "delete": "removed"}


def in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Trouble of both kinds is a sentence, or a document with --json, and an exit code; never a traceback."""

    def tell(trouble: RequestProblem | WorldProblem, as_json: object) -> None:
        if as_json:
            _print_json({"trouble": {"summary": trouble.summary, "detail": trouble.detail, "remedy": trouble.remedy}})
        else:
            _say(str(trouble), err=True)

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


_json = click.option("--json", "as_json", is_flag=True, help="Print it as one JSON document.")
_any_words = click.argument("words", nargs=-1, type=click.UNPROCESSED)
_OTHERS = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}
"""For what another program reads: its options, and its own help."""


@main.command(context_settings=_OTHERS)
@_any_words
@in_words
def chat(words: tuple[str, ...]) -> None:
    """Talk in the terminal (`adk run`, with its options)."""
    starting.front_end("run", words)


@main.command(context_settings=_OTHERS)
@_any_words
@in_words
def web(words: tuple[str, ...]) -> None:
    """Talk in the browser, on http://127.0.0.1:8000 (`adk web`)."""
    starting.front_end("web", words)


@main.command(context_settings=_OTHERS)
@_any_words
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


@main.command(context_settings=_OTHERS)
@_any_words
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
@click.argument("file", default="-", type=click.File(encoding="utf-8", errors="replace"))
@_json
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
        _print_json(heard)
    else:
        _say(text("request.heard", heard))


@main.command()
@click.option("--requester", default="", help="In whose name it asks; default: the operator of the settings.")
@click.option("--http", is_flag=True, help="Streamable HTTP on loopback, in the place of standard input and output.")
@click.option("--port", default=8765, show_default=True, help="With --http.")
@in_words
def mcp(requester: str, http: bool, port: int) -> None:
    """Serve Berth to other agents (MCP): services, requests, plans and how far runs are. It never approves."""
    starting.assert_installed("mcp", "mcp", "The MCP server")
    from tools.clients.settings import Settings
    from tools.pipeline.mcp_server import server

    made = server(requester or Settings.from_environment().operator)
    if http:
        made.run("streamable-http", port=port)
    else:
        made.run("stdio")


@main.command("doctor")
@_json
@in_words
def _doctor(as_json: bool) -> None:
    """Look at everything a run needs, and say what is missing."""
    from tools.clients.settings import Settings
    from tools.pipeline import doctor

    if as_json:
        found = list(doctor.examine(Settings.from_environment()))
        _print_json({"findings": [finding._asdict() for finding in found]})
        sys.exit(0 if all(finding.good for finding in found) else PERSON)
    worst = 0
    for finding in doctor.examine(Settings.from_environment()):
        mark = click.style("ok  ", fg="green") if finding.good else click.style("bad ", fg="red")
        click.echo(f"{mark} ", nl=False)
        _say(f"{finding.subject}: {finding.detail}")
        if not finding.good and finding.remedy:
            _say(f"     {finding.remedy}")
        worst = worst or (0 if finding.good else PERSON)
    sys.exit(worst)


@main.command()
@_json
@in_words
def runs(as_json: bool) -> None:
    """List every run of this home."""
    from tools.pipeline import carry_out
    from tools.rules.words import telling

    world = _world()
    if as_json:
        _print_json({"runs": carry_out.runs(world)})
    else:
        _tell(telling.runs(carry_out.runs(world), carry_out.past(world)))


@main.command()
@_json
@in_words
def inbox(as_json: bool) -> None:
    """Show the plans that wait for an approval."""
    from tools.pipeline import carry_out
    from tools.rules.words import telling
    from tools.values.person import Person

    world = _world()
    waiting = carry_out.waiting(world, Person(world.settings.operator))
    if as_json:
        _print_json({"waiting": [{"plan": one.plan, "manifest": one.manifest, "approve_as": roles} for one, roles in waiting]})
        return
    _tell(telling.waiting([(one.plan, one.manifest, roles, None) for one, roles in waiting]))


@main.command()
@click.option(
    "--free", "family", default="", metavar="DIGITS", help="Free what is held for a draft or a plan that waits; the plan is void."
)
@_json
@in_words
def held(family: str, as_json: bool) -> None:
    """List what is held for drafts, for plans that wait and for runs, and until when."""
    from tools.pipeline import carry_out

    world = _world()
    if family:
        freed = carry_out.free(world, family)
        if as_json:
            _print_json({"freed": freed})
        else:
            _say(f"{_spelled(freed)} is free.")
        return
    if as_json:
        _print_json({"held": carry_out.promises(world)})
        return
    for one in carry_out.promises(world):
        whose = "a run" if one.is_run else f"the plan {one.plan_digest[:12]}" if one.plan_digest else "a draft"
        _say(f"{one.family[:12]}  until {one.until:%Y-%m-%d %H:%M} UTC  for {whose}: {_spelled(one)}")


def _spelled(one: Promise) -> str:
    names = sorted(one.held.names) or [f"VM {vm_id}" for vm_id in sorted(one.held.vm_ids)]
    return ", ".join(names) or "Room"


@main.command()
@click.argument("run_id")
@_json
@in_words
def show(run_id: str, as_json: bool) -> None:
    """Show one run, step by step."""
    from tools.pipeline import carry_out
    from tools.rules.words import telling

    if as_json:
        _print_json(carry_out.run_of(_world(), run_id))
        return
    _tell(telling.run(carry_out.run_of(_world(), run_id)))


@main.command()
@click.argument("run_id")
@_json
@in_words
def drift(run_id: str, as_json: bool) -> None:
    """Compare what a run made with what exists now. Changes nothing; exit code 1 when something has drifted."""
    from tools.pipeline import drifting

    found = drifting.drift(_world(), run_id)
    if as_json:
        _print_json({"parts": [{"part": part, "changes": changes} for part, changes in found]})
        sys.exit(1 if any(changes for _, changes in found) else 0)
    for part, changes in found:
        for change in changes:
            _say(f"{part}: {change.name} would be {_DONE[change.action]}. {'; '.join(change.details)}".rstrip())
    if any(changes for _, changes in found):
        sys.exit(1)
    _say("Everything is as it was approved." if found else "The run has nothing that exists.")


@main.command()
@click.argument("run_id")
@_json
@in_words
def replay(run_id: str, as_json: bool) -> None:
    """Plan a run again from what was recorded of it, without asking any world; exit code 1 when something else comes of it."""
    from tools.pipeline.replaying import replay as replay_run

    found = replay_run(_world(), run_id)
    if as_json:
        _print_json(found._asdict())
    elif found.difference is None:
        _say(f"The same, byte by byte: {', '.join(found.compared)} ({found.manifest_digest[:12]}).")
    else:
        where, recorded, now = found.difference
        _say(f"Something else comes of it, first at {where}:\n  recorded: {recorded}\n  now:      {now}")
    sys.exit(0 if found.difference is None else 1)


@main.command()
@_json
@in_words
def watch(as_json: bool) -> None:
    """Tell every monitoring what it should watch, and what is gone; exit code 3 when one is away."""
    from tools.pipeline import watching

    found = list(watching.catch_up(_world()))
    if as_json:
        _print_json({"monitoring": [{"name": name, "told": told, "owed": owed} for name, told, owed in found]})
    elif not found:
        _say("There is no monitoring. Ask for one in a conversation: it takes over what runs.")
    else:
        for name, told, owed in found:
            for line in (*told, *owed) or (f"{name} knows of everything that it watches.",):
                _say(line)
    if any(owed for _, _, owed in found):
        sys.exit(WORLD)


@main.group()
def request() -> None:
    """Requests as files: show, export and apply them."""


@request.command("show")
@click.argument("name")
@_json
@in_words
def request_show(name: str, as_json: bool) -> None:
    """Show what a conversation, or a request that was applied, asks for."""
    from tools.pipeline import requests
    from tools.rules.words import telling
    from tools.rules.words.rendering import draw

    now = requests.find(_world(), name)
    if as_json:
        _print_json({"request": now.request, "doubts": now.doubts})
        return
    _say(draw(telling.request(now.request, now.doubts)))


@request.command("export")
@click.argument("name")
@_json
@in_words
def request_export(name: str, as_json: bool) -> None:
    """Print the request of a conversation as a file, in YAML (or in JSON, which `berth request apply` reads as well)."""
    import yaml

    from tools.pipeline import requests
    from tools.rules.request.filing import as_yaml

    file = as_yaml(requests.find(_world(), name).request)
    if as_json:
        _print_json(yaml.safe_load(file))
    else:
        _say(file, nl=False)


@request.command("apply")
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"))
@_json
@in_words
def request_apply(file: TextIO, as_json: bool) -> None:
    """Read a request from FILE (`-`: what is piped in), say what it comes to, and keep it for a conversation to take up."""
    from tools.pipeline import requests
    from tools.rules.words import telling
    from tools.rules.words.rendering import draw

    name, _, required = requests.take_in(_world(), file.read())
    if as_json:
        _print_json({"kept_as": name, "requirements": required})
        return
    _say(draw(telling.requirements(required, ()) if required.complete else telling.questions(required, (), in_file=True)))
    _say(f"\nKept as {name}. Say `resume {name}` in berth chat, web or api: it is planned there, and approved.")


@main.group()
def audit() -> None:
    """The record of who did what."""


_of_run = click.option("--run", "run_id", default="", help="Only what was recorded of this run.")


@audit.command("show")
@_of_run
@click.option("--last", default=50, show_default=True, type=click.IntRange(1), help="How many records, counted from the end.")
@_json
@in_words
def audit_show(run_id: str, last: int, as_json: bool) -> None:
    """Show the latest records, oldest first."""
    from tools.ledger.exporting import line

    records = _world().ledger.audit.read(run_id, last)
    if as_json:
        _print_json({"records": list(records)})
        return
    for record in records:
        _say(line(record))


@audit.command("export")
@_of_run
@_json
@in_words
def audit_export(run_id: str, as_json: bool) -> None:
    """Print every record as a line of JSON, in the shape of OCSF's API Activity. With --json, all of them as one document."""
    import json

    from tools.ledger.exporting import as_ocsf

    if as_json:
        _print_json([as_ocsf(record) for record in _world().ledger.audit.read(run_id)])
        return
    for record in _world().ledger.audit.read(run_id):
        _say(json.dumps(as_ocsf(record), ensure_ascii=False))


@audit.command("verify")
@click.option("--from", "from_hash", default="", metavar="HASH", help="The hash of a record, as it was noted elsewhere: it must be there.")
@_json
@in_words
def audit_verify(from_hash: str, as_json: bool) -> None:
    """Read the whole audit chain, its checkpoints and the tables it tells of, and say whether anything was changed or cut off."""
    verified = _world().ledger.verify(from_hash)
    if as_json:
        _print_json({"holds": verified.holds, "detail": verified.detail, "last_hash": verified.last_hash})
    else:
        _say(f"{verified.detail} Last hash: {verified.last_hash}")
    sys.exit(0 if verified.holds else PERSON)


@main.group()
def policy() -> None:
    """The organisation's policy."""


@policy.command("test")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_json
@in_words
def policy_test(file: Path | None, as_json: bool) -> None:
    """Run the policy's own examples (BERTH_POLICY_FILE, or FILE, or the shipped one)."""
    from importlib.resources import files

    from tools.clients.settings import Settings
    from tools.rules.plans.policy import read_policy, run_examples

    file = file or Settings.from_environment().policy_file
    text = file.read_text(encoding="utf-8") if file else files("tools.data").joinpath("policy.yaml").read_text(encoding="utf-8")
    results = run_examples(read_policy(text, str(file or "the shipped policy")))
    if as_json:
        _print_json({"examples": [{"name": name, "difference": difference} for name, difference in results]})
        sys.exit(PERSON if any(difference for _, difference in results) else 0)
    for name, difference in results:
        mark = click.style("bad ", fg="red") if difference else click.style("ok  ", fg="green")
        click.echo(f"{mark} ", nl=False)
        _say(f"{name}{': ' + difference if difference else ''}")
    failed = sum(bool(difference) for _, difference in results)
    _say(f"{len(results) - failed} of {len(results)} examples come out as expected.")
    sys.exit(PERSON if failed else 0)


@main.command()
@_json
@in_words
def spend(as_json: bool) -> None:
    """Show what is spent: as Azure charged it this month, and by the plans."""
    from tools.pipeline.spending import spending
    from tools.rules.words import answering

    found = spending(_world(), lambda said: _say(said, err=True))
    if as_json:
        _print_json(found)
    else:
        _tell(answering.spend(found))


@main.group()
def prices() -> None:
    """The list prices that estimates are made from."""


@prices.command("show")
@click.argument("key")
@click.option("--region", default="eastus", show_default=True)
@_json
@in_words
def prices_show(key: str, region: str, as_json: bool) -> None:
    """Show the rows of one price key, such as vm.Standard_D4s_v5."""
    from tools.rules.plans.pricing import rows_of

    rows = rows_of(key, region, _world().prices)
    if not rows:
        raise RequestProblem("There is no such price.", f"No row has the key {key}.", "The keys stand in tools/data/prices.csv.")
    if as_json:
        _print_json({"rows": list(rows)})
        return
    for row in rows:
        _say(f"{row.row}: {row.price:g} {row.currency} a {row.unit} above {row.tier_from:g}; {row.meter}; {row.source}, {row.captured_at}")


@prices.command("refresh")
@_json
@in_words
def prices_refresh(as_json: bool) -> None:
    """Ask Azure's public price list anew. Rows it cannot find keep their price and date."""
    from tools.pipeline.price_refresh import refresh

    if as_json:
        _print_json(refresh(_world(), lambda said: _say(said, err=True))._asdict())
        return
    result = refresh(_world(), _say)
    _say(f"{result.changed} prices changed, {result.same} are the same, {result.kept} keep their row and date.")


def _say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Whoever wrote it (a cluster, a file, whoever called), it does not steer the terminal."""
    from tools.rules.names.foreign import seen

    click.echo(seen(text), err=err, nl=nl)


def _print_json(value: object) -> None:
    import json

    from pydantic_core import to_jsonable_python

    click.echo(json.dumps(to_jsonable_python(value), ensure_ascii=False))


def _tell(tell: Tell) -> None:
    """Drawn in a terminal, Markdown for whatever else reads it."""
    from tools.rules.words.drawing import draw_markdown
    from tools.rules.words.rendering import draw

    text = draw(tell)
    click.echo(draw_markdown(text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else text)


def _world() -> World:
    from tools.pipeline.world import open_world

    return open_world()
