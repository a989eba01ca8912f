"""Commands that show what a site needs, what waits, what is held, and what was run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tools.cli.group import PERSON, WORLD, in_words, json_option, main, our_world, print_json, say, tell_drawn

if TYPE_CHECKING:
    from tools.ledger.reservations import Promise

_DONE = {"create": "made anew", "update": "changed back", "replace": "replaced", "delete": "removed"}


@main.command("doctor")
@json_option
@in_words
def _doctor(as_json: bool) -> None:
    """Look at everything a run needs, and say what is missing."""
    from tools.clients.settings import Settings
    from tools.pipeline import doctor

    if as_json:
        found = list(doctor.examine(Settings.from_environment()))
        print_json({"findings": [finding._asdict() for finding in found]})
        sys.exit(0 if all(finding.good for finding in found) else PERSON)
    worst = 0
    for finding in doctor.examine(Settings.from_environment()):
        mark = click.style("ok  ", fg="green") if finding.good else click.style("bad ", fg="red")
        click.echo(f"{mark} ", nl=False)
        say(f"{finding.subject}: {finding.detail}")
        if not finding.good and finding.remedy:
            say(f"     {finding.remedy}")
        worst = worst or (0 if finding.good else PERSON)
    sys.exit(worst)


@main.command()
@json_option
@in_words
def runs(as_json: bool) -> None:
    """List every run of this home."""
    from tools.pipeline import carry_out
    from tools.rules.words import telling

    world = our_world()
    if as_json:
        print_json({"runs": carry_out.runs(world)})
    else:
        tell_drawn(telling.runs(carry_out.runs(world), carry_out.past(world)))


@main.command()
@json_option
@in_words
def inbox(as_json: bool) -> None:
    """Show the plans that wait for an approval."""
    from tools.pipeline import carry_out
    from tools.rules.words import telling
    from tools.values.person import Person

    world = our_world()
    waiting = carry_out.waiting(world, Person(world.settings.operator))
    if as_json:
        print_json({"waiting": [{"plan": one.plan, "manifest": one.manifest, "approve_as": roles} for one, roles in waiting]})
        return
    tell_drawn(telling.waiting([(one.plan, one.manifest, roles, None) for one, roles in waiting]))


@main.command()
@click.option(
    "--free", "family", default="", metavar="DIGITS", help="Free what is held for a draft or a plan that waits; the plan is void."
)
@json_option
@in_words
def held(family: str, as_json: bool) -> None:
    """List what is held for drafts, for plans that wait and for runs, and until when."""
    from tools.pipeline import carry_out

    world = our_world()
    if family:
        freed = carry_out.free(world, family)
        if as_json:
            print_json({"freed": freed})
        else:
            say(f"{_spelled(freed)} is free.")
        return
    if as_json:
        print_json({"held": carry_out.promises(world)})
        return
    promises = carry_out.promises(world)
    if not promises:
        say("Nothing is held.")
    for one in promises:
        whose = "a run" if one.is_run else f"the plan {one.plan_digest[:12]}" if one.plan_digest else "a draft"
        say(f"{one.family[:12]}  until {one.until:%Y-%m-%d %H:%M} UTC  for {whose}: {_spelled(one)}")


def _spelled(one: Promise) -> str:
    names = sorted(one.held.names) or [f"VM {vm_id}" for vm_id in sorted(one.held.vm_ids)]
    return ", ".join(names) or "Room"


@main.command()
@click.argument("run_id")
@json_option
@in_words
def show(run_id: str, as_json: bool) -> None:
    """Show one run, step by step."""
    from tools.pipeline import carry_out
    from tools.rules.words import telling

    if as_json:
        print_json(carry_out.run_of(our_world(), run_id))
        return
    tell_drawn(telling.run(carry_out.run_of(our_world(), run_id)))


@main.command()
@click.argument("run_id")
@json_option
@in_words
def drift(run_id: str, as_json: bool) -> None:
    """Compare what a run made with what exists now. Changes nothing; exit code 1 when something has drifted."""
    from tools.pipeline import drifting

    found = drifting.drift(our_world(), run_id)
    if as_json:
        print_json({"parts": [{"part": part, "changes": changes} for part, changes in found]})
        sys.exit(1 if any(changes for _, changes in found) else 0)
    for part, changes in found:
        for change in changes:
            say(f"{part}: {change.name} would be {_DONE[change.action]}. {'; '.join(change.details)}".rstrip())
    if any(changes for _, changes in found):
        sys.exit(1)
    say("Everything is as it was approved." if found else "The run has nothing that exists.")


@main.command()
@click.argument("run_id")
@json_option
@in_words
def replay(run_id: str, as_json: bool) -> None:
    """Plan a run again from what was recorded of it, without asking any world; exit code 1 when something else comes of it."""
    from tools.pipeline.replaying import replay as replay_run

    found = replay_run(our_world(), run_id)
    if as_json:
        print_json(found._asdict())
    elif found.difference is None:
        say(f"The same, byte by byte: {', '.join(found.compared)} ({found.manifest_digest[:12]}).")
    else:
        where, recorded, now = found.difference
        say(f"Something else comes of it, first at {where}:\n  recorded: {recorded}\n  now:      {now}")
    sys.exit(0 if found.difference is None else 1)


@main.command()
@json_option
@in_words
def watch(as_json: bool) -> None:
    """Tell every monitoring what it should watch, and what is gone; exit code 3 when one is away."""
    from tools.pipeline import watching

    found = list(watching.catch_up(our_world()))
    if as_json:
        print_json({"monitoring": [{"name": name, "told": told, "owed": owed} for name, told, owed in found]})
    elif not found:
        say("There is no monitoring. Ask for one in a conversation: it takes over what runs.")
    else:
        for name, told, owed in found:
            for line in (*told, *owed) or (f"{name} knows of everything that it watches.",):
                say(line)
    if any(owed for _, _, owed in found):
        sys.exit(WORLD)
