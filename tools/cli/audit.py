"""The record of who did what."""

from __future__ import annotations

import sys

import click

from tools.cli.group import PERSON, in_words, json_option, main, our_world, print_json, say, tell_drawn


@main.group()
def audit() -> None:
    """The record of who did what."""


_of_run = click.option("--run", "run_id", default="", help="Only what was recorded of this run.")


@audit.command("show")
@_of_run
@click.option("--last", default=50, show_default=True, type=click.IntRange(1), help="How many records, counted from the end.")
@json_option
@in_words
def audit_show(run_id: str, last: int, as_json: bool) -> None:
    """Show the latest records, oldest first."""
    from tools.ledger.exporting import line

    records = our_world().ledger.audit.read(run_id, last)
    if as_json:
        print_json({"records": list(records)})
        return
    for record in records:
        say(line(record))


@audit.command("export")
@_of_run
@json_option
@in_words
def audit_export(run_id: str, as_json: bool) -> None:
    """Print every record as a line of JSON, in the shape of OCSF's API Activity. With --json, all of them as one document."""
    import json

    from tools.ledger.exporting import as_ocsf

    if as_json:
        print_json([as_ocsf(record) for record in our_world().ledger.audit.read(run_id)])
        return
    for record in our_world().ledger.audit.read(run_id):
        say(json.dumps(as_ocsf(record), ensure_ascii=False))


@audit.command("reconcile")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 90), help="How far to look back.")
@json_option
@in_words
def audit_reconcile(days: int, as_json: bool) -> None:
    """Hold the cluster's log of tasks and Azure's activity log against the runs that were approved, and list what none explains."""
    from tools.pipeline.reconciling import reconcile
    from tools.rules.words import telling

    found = reconcile(our_world(), days)
    if as_json:
        print_json(found)
    else:
        tell_drawn(telling.reconciled(found, all_of_them=True))
    sys.exit(PERSON if found.found or found.unread else 0)


@audit.command("verify")
@click.option("--from", "from_hash", default="", metavar="HASH", help="The hash of a record, as it was noted elsewhere: it must be there.")
@json_option
@in_words
def audit_verify(from_hash: str, as_json: bool) -> None:
    """Read the whole audit chain, its checkpoints and the tables it tells of, and say whether anything was changed or cut off."""
    verified = our_world().ledger.verify(from_hash)
    if as_json:
        print_json({"holds": verified.holds, "detail": verified.detail, "last_hash": verified.last_hash})
    else:
        say(f"{verified.detail} Last hash: {verified.last_hash}")
    sys.exit(0 if verified.holds else PERSON)
