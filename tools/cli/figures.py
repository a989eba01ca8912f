"""The organisation's policy, what is spent, and list prices."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tools.cli.group import PERSON, in_words, json_option, main, our_world, print_json, say, tell_drawn
from tools.values.trouble import RequestProblem


@main.group()
def policy() -> None:
    """The organisation's policy."""


@policy.command("test")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
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
        print_json({"examples": [{"name": name, "difference": difference} for name, difference in results]})
        sys.exit(PERSON if any(difference for _, difference in results) else 0)
    for name, difference in results:
        mark = click.style("bad ", fg="red") if difference else click.style("ok  ", fg="green")
        click.echo(f"{mark} ", nl=False)
        say(f"{name}{': ' + difference if difference else ''}")
    failed = sum(bool(difference) for _, difference in results)
    say(f"{len(results) - failed} of {len(results)} examples come out as expected.")
    sys.exit(PERSON if failed else 0)


@main.command()
@json_option
@in_words
def spend(as_json: bool) -> None:
    """Show what is spent: as Azure charged it this month, and by the plans."""
    from tools.pipeline.spending import spending
    from tools.rules.words import answering

    found = spending(our_world(), lambda said: say(said, err=True))
    if as_json:
        print_json(found)
    else:
        tell_drawn(answering.spend(found))


@main.group()
def prices() -> None:
    """The list prices that estimates are made from."""


@prices.command("show")
@click.argument("key")
@click.option("--region", default="eastus", show_default=True)
@json_option
@in_words
def prices_show(key: str, region: str, as_json: bool) -> None:
    """Show the rows of one price key, such as vm.Standard_D4s_v5."""
    from tools.rules.plans.pricing import rows_of

    rows = rows_of(key, region, our_world().prices)
    if not rows:
        raise RequestProblem("There is no such price.", f"No row has the key {key}.", "The keys stand in tools/data/prices.csv.")
    if as_json:
        print_json({"rows": list(rows)})
        return
    for row in rows:
        say(f"{row.row}: {row.price:g} {row.currency} a {row.unit} above {row.tier_from:g}; {row.meter}; {row.source}, {row.captured_at}")


@prices.command("refresh")
@json_option
@in_words
def prices_refresh(as_json: bool) -> None:
    """Ask Azure's public price list anew. Rows it cannot find keep their price and date."""
    from tools.pipeline.price_refresh import refresh

    if as_json:
        print_json(refresh(our_world(), lambda said: say(said, err=True))._asdict())
        return
    result = refresh(our_world(), say)
    say(f"{result.changed} prices changed, {result.same} are the same, {result.kept} keep their row and date.")
