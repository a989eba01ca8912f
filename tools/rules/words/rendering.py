"""Draws texts from values: strict Jinja templates under `texts/`, which a writer edits. What is said, and when, is decided elsewhere.

Only this file knows how Markdown spells a table, and what in a name may not stand in one. Jinja is loaded at the first text that needs it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from tools.rules.names import foreign
from tools.rules.names.text import spell_about, spell_memory, spell_number, spell_of, spell_span, spell_turn, spell_value
from tools.rules.plans.changes import counted
from tools.rules.request.comparing import Difference
from tools.values.effects import Tell
from tools.values.manifest import Part
from tools.values.requirements import Field, Needs, Origin

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

NAME_CHARACTERS_MAX = 80
"""Of a name in a picture."""
DIGEST_SHOWN = 12
"""Digits of a digest that are shown and typed: enough to name one plan, few enough to type."""


def text(name: str, *values: object) -> str:
    """The text `file.macro`, made of the values its macro takes. A value that the template does not find is an error, never a gap."""
    file, macro = name.split(".")
    return tidy(getattr(own().get_template(f"{file}.md.j2").module, macro)(*values))


def draw(tell: Tell) -> str:
    return text(tell.text, *tell.values) if "." in tell.text else labels()["sentences"][tell.text]


def tidy(drawn: str) -> str:
    """One empty line between paragraphs, whatever the template's own lines left."""
    return re.sub(r"\n{3,}", "\n\n", drawn).strip()


@cache
def labels() -> Mapping[str, Mapping[str, str]]:
    """Short words and whole sentences that need no value, by table and name."""
    return tomllib.loads(_file("labels.toml"))


def environment(loader: BaseLoader, markup: bool = True) -> Environment:
    """Strict templates for Markdown, with the words that every text may use. Whatever is put into one is data, never markup: unless it was
    drawn by a macro or a filter of ours, which say so. Without `markup` a template makes words, to be put into another one."""
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=markup,
        finalize=put_in if markup else None,
    )
    made.filters |= {
        one.__name__: one
        for one in (
            amount,
            called,
            code,
            fenced,
            first_sentence,
            item,
            listed,
            lines,
            lower_first,
            mermaid,
            ours,
            quoted,
            reasons,
            said_fields,
            sentences,
            short,
            span,
            spoken,
            told,
            upper_first,
        )
    }
    made.filters |= {one.__name__: one for one in (duration, meter, moment, spell_about, spell_memory, spell_number, spell_of, subject)}
    made.filters |= {"shown": lambda digest: digest[:DIGEST_SHOWN], "turning": spell_turn, "join": join}
    made.globals |= {"head": head, "row": row, "label": labels()}
    return made


def put_in(value: object) -> Markup:
    """What Jinja writes for a value: the one border over which what others wrote comes into a text."""
    return value if isinstance(value, Markup) else Markup(foreign.as_data(str(value)))


def ours(text: str) -> Markup:
    """Markdown that was drawn here before."""
    return Markup(text)


def code(value: object) -> Markup:
    return Markup(foreign.code(str(value)))


def lines(text: str) -> Markup:
    """Of several lines, each data: one that is indented is to be typed."""
    return Markup(foreign.lines_as_data(text))


def join(values: Iterable[object], between: str = "", attribute: str | None = None) -> str:
    """Jinja's own escapes as for HTML."""
    each = [getattr(value, attribute) if attribute else value for value in values]
    if any(isinstance(value, Markup) for value in each):
        return Markup(between).join(put_in(value) for value in each)
    return between.join(map(str, each))


@cache
def bare() -> Environment:
    """For sentences that are put into texts later."""
    from jinja2 import BaseLoader

    return environment(BaseLoader(), markup=False)


@cache
def own() -> Environment:
    """Over the texts of this folder."""
    from jinja2 import FunctionLoader

    from tools.rules.words import findings  # whose words are drawn here too

    made = environment(FunctionLoader(_file))
    made.filters |= {"counted": counted, "detail": findings.detail, "remedy": findings.remedy}
    return made


def _file(name: str) -> str:
    return files("tools.rules.words").joinpath("texts", name).read_text("utf-8")


def head(*titles: str) -> Markup:
    """The first two lines of a table."""
    return Markup(f"{row(*titles)}\n|{'---|' * len(titles)}")


def row(*cells: object) -> Markup:
    """Nothing in a cell may end it."""
    clean = (re.sub(r"\s+", " ", re.sub(r"(?<!\\)\|", r"\|", put_in(c))).strip() for c in cells)
    return Markup(f"| {' | '.join(clean)} |")


def mermaid(name: object) -> Markup:
    """Of a label in quotation marks, within a fence."""
    return Markup(re.sub(r"\s+", " ", re.sub(r"[^\w .,:/()+-]", " ", foreign.seen(str(name))))[:NAME_CHARACTERS_MAX].strip())


def fenced(code: str, language: str = "") -> Markup:
    """A block of code whose fence is longer than any in it, so that no answer of a machine can end it."""
    code = foreign.seen(code)
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}{language}\n{code}\n{fence}")


def amount(field: Field) -> str:
    """A requirement's value with its unit, as a person would write it."""
    value = field.value
    if field.name == "site_name" and value == "_":
        return "any"
    if field.name == "public_keys" and isinstance(value, tuple):
        return ", ".join(key.split()[-1] if len(key.split()) > 2 else short(key, 30) for key in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    return spell_value(value, field.unit) if isinstance(value, int | float) else value


def said_fields(needs: Needs) -> list[Field]:
    """What was said of a part. A VLAN by its number is told once: it is the network's name then."""
    network = needs.text("network")
    fields = (field for field in needs.fields if field.origin is Origin.SAID)
    return [field for field in fields if field.name != "vlan_tag" or str(field.value) != network]


def told(field: Field, capability: str = "") -> str:
    """What it is and how much, in a row with others: `disk 40 GiB`, `2 vCPU`, `production`, `no GPU`."""
    label, value = called(field.name, capability), amount(field)
    if isinstance(field.value, bool):
        return label if field.value else f"no {label}"
    if field.unit and label.endswith(f" {field.unit}") and value.endswith(f" {field.unit}"):
        return f"{value.removesuffix(field.unit)}{label}"  # `3 application machines`
    return value if field.name in labels()["bare"]["fields"] or value.endswith(f" {label}") else f"{label} {value}"


def span(field: Field) -> str:
    """Between which values an assumption may lie."""
    return spell_span(field.low or 0, field.high or 0, field.unit)


_UNITS = ("_mib", "_gib", "_gb", "_bytes", "_monthly", "_count")


def called(name: str, capability: str = "") -> str:
    """What people call a field: as its capability's labels.toml has it, or all of them, or by its own name without the unit."""
    known = labels()["field"].get(name) or (own_labels(capability).get(name) if capability else None)
    return known or spoken(next((name.removesuffix(unit) for unit in _UNITS if name.endswith(unit)), name))


@cache
def own_labels(capability: str) -> Mapping[str, str]:
    file = files("tools.capabilities").joinpath(capability, "labels.toml")
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def duration(seconds: float) -> str:
    """90 seconds are 1 min 30 s; of hours the seconds do not matter."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d} at {time:%H:%M} UTC"


def meter(subject: str) -> str:
    """What is paid for, without the name of the thing that it is paid for."""
    return subject.partition(": ")[2] or subject


def spoken(name: str) -> str:
    return name.replace("_", " ")


def item(one: Part | Needs) -> str:
    """An item by its label; where its service has another name on the platform (labels.toml: `on azure`), by that."""
    label, there = one.label or one.capability, own_labels(one.capability).get(f"on {one.platform}")
    return spoken(label) if there is None else spoken(re.sub(rf"^{re.escape(one.capability)}\b", there, label))


def first_sentence(said: str) -> str:
    return re.split(r"(?<=[a-z0-9)][.!]) (?=[A-Z])", said, maxsplit=1)[0]


def subject(one: Difference) -> str:
    """`web server`, `web server: memory`, `environment`."""
    return ": ".join(word for word in (spoken(one.item), called(one.name)) if word)


def short(said: str, characters_max: int = 120) -> str:
    flat = " ".join(said.split())
    return flat if len(flat) <= characters_max else flat[: characters_max - 1] + "…"


def quoted(said: str) -> str:
    return f"“{said}”"


def lower_first(sentence: str) -> str:
    """Within another sentence; an abbreviation keeps its capitals."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def upper_first(words: str) -> str:
    """At the beginning of a line, with every other capital as it is: `API address`."""
    return words[:1].upper() + words[1:]


def listed(items: Iterable[str]) -> str:
    *first, last = list(items) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def reasons(said: Iterable[str]) -> str:
    """Sentences in a row become one, divided by semicolons."""
    return "; ".join(sentence.rstrip(". ") for sentence in said)


def sentences(said: Iterable[str]) -> str:
    """One after the other; what is empty leaves no gap."""
    return " ".join(sentence for sentence in said if sentence)
