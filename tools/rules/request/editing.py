"""Edits of a request: the next request, and every edit that could not be made, with the reason. One that is refused holds back no other.

It knows what capabilities want and what runs already, as far as it is told; whether an edit was ever said is judged before, in
tools.rules.hearing.proving, and what the request comes to is read afterwards, by each item's capability.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import get_args

from tools.rules.hearing.known import Built
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.counting import names_of
from tools.rules.names.naming import numbered, shorten
from tools.rules.request.draft import Draft, No, label_of, next_label, with_fact
from tools.rules.request.keeping import refusals
from tools.values.request import Edit, Edits, Fact, Item, Relation, RelationKind, Request, Wish
from tools.values.wanted import Listed

WISHES_MAX = 40
"""Of one request: what goes beyond is refused."""
NAMES_MAX = 1000
"""Of one series, beyond which no free one is looked for."""

Refused = tuple[tuple[Edit, str], ...]
"""Edits that were not made, each with the reason in whole sentences."""


def apply(
    request: Request,
    edits: Edits,
    catalogue: Mapping[str, Listed],
    running: Mapping[str, Item] | None = None,
    built: Built | None = None,
    text: str = "",
) -> tuple[Request, Refused]:
    """`running` is what runs already, by every name that it can be called: it may be copied. What is `built` goes only where the message,
    `text`, takes it away, and never all of it: that is a removal of the run. Without a text, each edit's quote is a message."""
    items = {item.label: item for item in request.items}
    draft = Draft(catalogue, running or {}, built or {}, items, list(request.shared), list(request.wishes))
    refused: list[tuple[Edit, str]] = []
    stay = refusals(edits, text, request, catalogue, draft.built, draft.find)
    for edit in edits.edits:
        try:
            if edit in stay:
                _say_once(stay[edit], refused)
            else:
                _DO[edit.do](draft, edit)
        except No as reason:
            refused.append((edit, str(reason)))
    made = Request(items=tuple(draft.items.values()), shared=tuple(draft.shared), wishes=tuple(draft.wishes))
    return made, tuple(refused)


def lead_back(asked: Request, built: Request, labels: Collection[str]) -> Request:
    """What is asked for when these items are again what they were when it was built, or are gone."""
    then = {item.label: item for item in built.items}
    items = [then.get(item.label) if item.label in labels else item for item in asked.items]
    left = [item for item in items if item is not None]
    gone = {item.label for item in asked.items} - {item.label for item in left}
    return asked.model_copy(
        update={
            "items": tuple(_without_relations(item, gone) for item in left),
            "wishes": tuple(wish for wish in asked.wishes if wish.item not in gone),
        }
    )


def _without_relations(item: Item, gone: Collection[str]) -> Item:
    return item.model_copy(update={"relations": tuple(one for one in item.relations if one.to not in gone)})


def facts_of(item: Item, request: Request, catalogue: Mapping[str, Listed]) -> tuple[Fact, ...]:
    """What is said of an item: its own facts, and what is said once for all, where it wants it and says none of its own."""
    own = {fact.name for fact in item.facts}
    return (*item.facts, *(fact for fact in request.shared if fact.name not in own and _takes(fact, item, request, catalogue)))


def _add(draft: Draft, edit: Edit) -> None:
    if edit.name not in draft.catalogue:
        raise No(f"I do not know how to make {shorten(edit.name)}. I know {', '.join(draft.catalogue)}.")
    draft.add(Item(capability=edit.name, label=edit.item or edit.name), edit.item or edit.name)


def _set(draft: Draft, edit: Edit) -> None:
    if not edit.value.strip():
        raise No(f"{shorten(edit.quote)} says no value of {_spoken(edit.name)}.")
    fact = Fact(name=edit.name, value=edit.value, quote=edit.quote)
    if not edit.item:
        if not any(edit.name == one.name for able in draft.catalogue.values() for one in able.WANTED):
            raise No(f"Nothing that I can make has a setting {shorten(edit.name)}.")
        draft.shared = list(with_fact(draft.shared, fact))
        return
    item = draft.item(edit.item)
    if edit.name not in draft.wants(item):
        raise No(f"{item.label} has no setting {shorten(edit.name)}.")
    draft.say(item, fact)


def _unset(draft: Draft, edit: Edit) -> None:
    shared = next((fact for fact in draft.shared if fact.name == edit.name), None)
    if not edit.item:
        if shared is None:
            raise No(f"Nothing is said of {_spoken(edit.name)} for all.")
        draft.shared.remove(shared)
        return
    item = draft.item(edit.item)
    if item.fact(edit.name) is None and (shared is None or not _takes(shared, item, draft.request, draft.catalogue)):
        raise No(f"Nothing is said of {_spoken(edit.name)} of {item.label}.")
    draft.put(item.model_copy(update={"facts": tuple(fact for fact in item.facts if fact.name != edit.name)}))
    if shared is not None:
        # It was meant for all, and is now meant for all others.
        for other in [one for one in draft.items.values() if one.label != item.label and one.fact(edit.name) is None]:
            if _takes(shared, other, draft.request, draft.catalogue):
                draft.put(other.model_copy(update={"facts": (*other.facts, shared)}))
        draft.shared.remove(shared)


def _include(draft: Draft, edit: Edit) -> None:
    """A value that the list holds already, alone or with something of its own, is said anew."""
    item = _listing(draft, edit)
    before, added = values_of(item.fact(edit.name)), values_of(edit.value)
    kept = tuple(one for one in before if bare_value(one) not in map(bare_value, added))
    fact = Fact(name=edit.name, value=_list(item.fact(edit.name), (*kept, *added)), quote=edit.quote)
    draft.put(item.model_copy(update={"facts": with_fact(item.facts, fact)}))


def _exclude(draft: Draft, edit: Edit) -> None:
    item = _listing(draft, edit)
    before, gone = values_of(item.fact(edit.name)), {bare_value(one) for one in values_of(edit.value)}
    left = tuple(one for one in before if bare_value(one) not in gone)
    if missing := gone - set(map(bare_value, before)):
        has = f"It has {', '.join(before)}." if before else "It has none."
        raise No(f"{item.label} has no {', '.join(sorted(missing))} among its {_spoken(edit.name)}. {has}")
    if not left:
        raise No(f"{', '.join(before)} is all that {item.label} has of {_spoken(edit.name)}. Say what there is to be instead.")
    fact = Fact(name=edit.name, value=_list(item.fact(edit.name), left), quote=edit.quote)
    draft.put(item.model_copy(update={"facts": with_fact(item.facts, fact)}))


def _list(before: Fact | None, values: tuple[str, ...]) -> str:
    """What is added to what was never said stands beside that which is taken by default."""
    return f"{'' if before and not is_besides(before.value) else BESIDES}{', '.join(values)}"


def _listing(draft: Draft, edit: Edit) -> Item:
    item = draft.item(edit.item)
    able = draft.catalogue[item.capability].WANTED if item.capability in draft.catalogue else ()
    if not any(one.name == edit.name and one.several for one in able):
        raise No(f"{item.label} has no list of {_spoken(edit.name)}.")
    return item


BESIDES = "also "
"""Before a list to which what is taken by default belongs too."""


def is_besides(listed: str) -> bool:
    return listed.startswith(BESIDES)


def values_of(listed: Fact | str | None) -> tuple[str, ...]:
    """Those of a list that were said."""
    text = listed.value if isinstance(listed, Fact) else listed or ""
    return tuple(one for one in (part.strip() for part in text.removeprefix(BESIDES).split(",")) if one)


def bare_value(value: str) -> str:
    """Without what it has of its own."""
    return re.split(r"\s+(?:from|with)\s+", value, maxsplit=1)[0]


def _say_once(reason: str, refused: Sequence[tuple[Edit, str]]) -> None:
    if reason not in (said for _, said in refused):
        raise No(reason)


def _remove(draft: Draft, edit: Edit) -> None:
    item = draft.find(edit.item)
    if item is None and edit.item in draft.running:
        raise No(f"{edit.item} runs already, and is none of what was made here. Say `remove` and the name of its run.")
    if item is None:
        raise No(f"I remove only what a run of mine made, and I know nothing called {shorten(edit.item)}. `list` shows my runs.")
    if draft.is_one_of(edit.item, item):
        _take_out(draft, item, edit)
        return
    del draft.items[item.label]
    for other in draft.items.values():
        draft.put(_without_relations(other, {item.label}))
    draft.wishes = [wish for wish in draft.wishes if wish.item != item.label]


def _take_out(draft: Draft, item: Item, edit: Edit) -> None:
    """One of several machines. Those of a group have numbers instead of names of their own, so the last one of it can go."""
    groups = draft.standing(item)
    group = next((group for group, names in groups.items() if edit.item in names), None)
    if group is None:
        return  # another edit of this message has taken it out
    names = groups[group]
    left, name = tuple(one for one in names if one != edit.item), f"{group}_{COUNT}" if group else COUNT
    if group and edit.item != names[-1]:
        raise No(f"Of the {group} of {item.label} the last one goes first: {names[-1]}. Say `remove {names[-1]}`.")
    if not left or name not in draft.wants(item):
        raise No(f"{item.label} cannot be without {edit.item}. Say `remove {item.label}` for all of it.")
    draft.say(item, Fact(name=name, value=str(len(left)), quote=edit.quote))
    if not group:
        draft.say(draft.items[item.label], Fact(name="name", value=", ".join(left), quote=edit.quote))


def _copy(draft: Draft, edit: Edit) -> None:
    original = draft.original(edit.item, edit.quote)
    taken = {*draft.items, *([original.label] if draft.find(edit.item) else [])}
    facts = tuple(_next_name(fact, original, draft, edit) if fact.name == "name" else fact for fact in original.facts)
    label = edit.name or next_label(original.label, taken)
    draft.add(original.model_copy(update={"facts": facts, "label": label}), edit.name or label)


def _next_name(name: Fact, original: Item, draft: Draft, edit: Edit) -> Fact:
    """The next free one of the series that the original's machines have."""
    *_, last = (one.strip() for one in name.value.split(","))
    several = original.fact("count") if "," not in name.value else None
    machines = min((quantities.count(several.value) if several else None) or 1, NAMES_MAX)
    taken = {*draft.running, *(one for item in draft.items.values() for one in names_of(item))}
    series = numbered(last, max(2, machines + len(taken) + 1))
    return Fact(name="name", value=next(one for one in series[machines:] if one not in taken), quote=edit.quote)


def _rename(draft: Draft, edit: Edit) -> None:
    item, label = draft.item(edit.item), label_of(edit.name)
    if not label:
        raise No(f"{shorten(edit.name)} cannot be a label: it is made of letters, digits, - and _.")
    if label in draft.items and label != item.label:
        raise No(f"There is a {label} in the request already.")
    draft.items = {
        one.label: one
        for one in (
            before.model_copy(
                update={
                    "label": _or(before.label, item.label, label),
                    "relations": tuple(
                        relation.model_copy(update={"to": _or(relation.to, item.label, label)}) for relation in before.relations
                    ),
                }
            )
            for before in draft.items.values()
        )
    }
    draft.wishes = [wish.model_copy(update={"item": _or(wish.item, item.label, label)}) for wish in draft.wishes]
    draft.now_called[edit.item] = label


def _or(called: str, before: str, after: str) -> str:
    return after if called == before else called


def _relate(draft: Draft, edit: Edit) -> None:
    item, other = draft.item(edit.item), draft.find(edit.value) if edit.value else None
    kind = next((one for one in get_args(RelationKind) if one == edit.name), None)
    if kind is None:
        raise No(f"I know no relation {shorten(edit.name)}. I know {', '.join(get_args(RelationKind))}.")
    if other is item:
        raise No(f"{item.label} cannot stand in relation to itself.")
    if kind == "like":
        original = draft.original(edit.value, edit.quote)
        inherited = (fact for fact in original.facts if item.fact(fact.name) is None and fact.name in draft.wants(item))
        facts = (_next_name(fact, original, draft, edit) if fact.name == "name" else fact for fact in inherited)
        item = item.model_copy(update={"facts": (*item.facts, *facts)})
    to = other.label if other else edit.value
    others = tuple(one for one in item.relations if (one.kind, one.to) != (kind, to))
    draft.put(item.model_copy(update={"relations": (*others, Relation(kind=kind, to=to, quote=edit.quote))}))


def _wish(draft: Draft, edit: Edit) -> None:
    wish = Wish(kind=edit.name, text=edit.value or edit.quote, item=draft.item(edit.item).label if edit.item else "")
    if len(draft.wishes) >= WISHES_MAX:
        raise No(f"A request keeps at most {WISHES_MAX} wishes.")
    if wish not in draft.wishes:
        draft.wishes.append(wish)


def _unwish(draft: Draft, edit: Edit) -> None:
    label = draft.item(edit.item).label if edit.item else ""
    left = [wish for wish in draft.wishes if (wish.kind, wish.item) != (edit.name, label)]
    if left == draft.wishes:
        raise No(f"No wish of {_spoken(edit.name)} is in the request.")
    draft.wishes = left


_DO: Mapping[str, Callable[[Draft, Edit], None]] = {
    "add": _add,
    "set": _set,
    "unset": _unset,
    "include": _include,
    "exclude": _exclude,
    "remove": _remove,
    "copy": _copy,
    "rename": _rename,
    "relate": _relate,
    "wish": _wish,
    "unwish": _unwish,
}


def _takes(shared: Fact, item: Item, request: Request, catalogue: Mapping[str, Listed]) -> bool:
    """Whether the item wants it. A choice that is another item's alone is not meant for it: a make of databases is none of web servers."""
    wanted = {
        one.label: found
        for one in request.items
        if one.capability in catalogue and (found := next((w for w in catalogue[one.capability].WANTED if w.name == shared.name), None))
    }
    mine = wanted.get(item.label)
    others = any(shared.value in dict(one.choices) for label, one in wanted.items() if label != item.label)
    return mine is not None and (mine.kind != "choice" or shared.value in dict(mine.choices) or not others)


def _spoken(name: str) -> str:
    return name.replace("_", " ")
