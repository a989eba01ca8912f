"""What runs already stays: of the edits of a message, those that would take something away from it without being told to, each with the
reason. What a message tells to take away is decided in tools.rules.hearing.edits.taking, from its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tools.rules.hearing.edits.clauses import Clause, clauses
from tools.rules.hearing.edits.taking import goes
from tools.rules.hearing.known import Built, Known
from tools.rules.hearing.layout.cleaning import clean, spaced
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import COUNT, Able
from tools.rules.hearing.words.counting import how_many, names_of
from tools.rules.names.naming import listed
from tools.values.request import Edit, Edits, Item, Request
from tools.values.wanted import Listed

Find = Callable[[str], Item | None]
"""The item that is called so: by its label, or by a machine of it."""
Refusals = dict[Edit, str]


def refusals(edits: Edits, text: str, request: Request, catalogue: Mapping[str, Listed], built: Built, find: Find) -> Refusals:
    """Without a text, each edit's quote is a message: it was shown, and answered."""
    found = {edit: item for edit in edits.edits if (item := find(edit.item)) and item.label in built}
    if not found:
        return {}
    said = {one: _clauses(one, request, catalogue, built) for one in {text or edit.quote for edit in found}}
    if text:
        said[text] = [one.of_sure_machines() for one in said[text]]
    unsaid = {
        edit: reason
        for edit, item in found.items()
        if (reason := _unsaid(edit, item, catalogue[item.capability], built, said[text or edit.quote]))
    }
    return unsaid | _one_of_several(edits.edits, found, built) | _all_of_it(found, built)


def _clauses(text: str, request: Request, catalogue: Mapping[str, Listed], built: Built) -> list[Clause]:
    earlier = " ".join(fact.quote for item in request.items for fact in item.facts)
    scene = Scene.of(text, spaced(clean(text)), catalogue, earlier)
    scene.known = Known(built=built)
    return clauses(scene, request)


def _unsaid(edit: Edit, item: Item, listed_as: Listed, built: Built, said: Sequence[Clause]) -> str:
    """Why it is not made, where it takes something away and the message does not say so; else empty."""
    able, title = Able(listed_as.WANTED), listed_as.TITLE
    if edit.do == "remove":
        machine = "" if edit.item == item.label else edit.item
        told = goes(said, item.label, machine)
        return "" if told else f"{item.label} runs already, and what runs is taken away only where you name it. Say `remove {item.label}`."
    if edit.do in ("set", "unset") and edit.name in able.counts:
        bare = Item(capability=item.capability, label=item.label)
        now, then = how_many(bare, edit.name, able, built) or 0, quantities.count(edit.value) if edit.do == "set" else 0
        told = (then or 0) >= now or goes(said, item.label, "", edit.name, then or 0)
        kind = edit.name.removesuffix(COUNT).strip("_").replace("_", " ") or "machines"
        called = kind.removesuffix("s") if kind != "machines" or len(built) == 1 else _spoken(title)
        remedy = f"`make it {then} {called}{'s' if then != 1 else ''}`, or " if then else ""
        return "" if told else f"{now} {kind} of {item.label} run already. For fewer say {remedy}`remove` and the names of those that go."
    if edit.do == "set" and edit.name == "name":
        return _unsaid_names(edit, item, built, said)
    return ""


def _spoken(title: str) -> str:
    """`web server`, `CI runner`."""
    return title if title[1:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def _unsaid_names(edit: Edit, item: Item, built: Built, said: Sequence[Clause]) -> str:
    """A list of names that leaves out some of those that run."""
    names, left = built[item.label].get("", ()), listed(edit.value)
    gone = [name for name in names if name not in left]
    told = not gone or len(names_of(item)) < 2 or goes(said, item.label, "", COUNT, len(left))
    told = told or all(goes(said, item.label, name) for name in gone)
    return "" if told else f"{', '.join(gone)} of {item.label} run already. Say `remove {gone[0]}` where it is to go."


def _one_of_several(edits: Sequence[Edit], found: Mapping[Edit, Item], built: Built) -> Refusals:
    """One of several that run cannot be set apart from the others any more, to be different; nor what is said of it then."""
    apart = {
        edit.quote: f"{edit.quote} is one of {item.label} that run already, and they are changed together. Say it of {item.label}."
        for edit, item in found.items()
        if edit.do == "set" and edit.name in ("name", COUNT) and edit.quote in (*names_of(item), *_machines(item, built))
    }
    made = {edit.name: edit.quote for edit in edits if edit.do == "copy" and edit.quote in apart}
    return {edit: apart[made.get(edit.item, edit.quote)] for edit in edits if edit.quote in apart or edit.item in made}


def _all_of_it(found: Mapping[Edit, Item], built: Built) -> Refusals:
    """All that runs goes only with its run."""
    going = {edit: item.label for edit, item in found.items() if edit.do == "remove" and not _is_one(edit.item, item, built)}
    if not built.keys() <= {*going.values()}:
        return {}
    return dict.fromkeys(going, "That would take away all that runs here. Say `remove it` for a plan that removes all of it.")


def _is_one(called: str, item: Item, built: Built) -> bool:
    machines = _machines(item, built)
    return called != item.label and called in machines and len(machines) > 1


def _machines(item: Item, built: Built) -> tuple[str, ...]:
    return tuple(name for names in built[item.label].values() for name in names)
