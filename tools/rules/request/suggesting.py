"""Takes what was suggested: the first reading of whatever is in doubt, and the first suggestion of whatever is missing."""

from __future__ import annotations

from datetime import date

from tools.rules.hearing.reading import read
from tools.rules.hearing.words.dictionary import Catalogue
from tools.values.request import Edit, Edits, Request
from tools.values.requirements import Requirements


def take(quote: str, edits: tuple[Edit, ...], request: Request, required: Requirements | None, catalogue: Catalogue, today: date) -> Edits:
    """A suggestion is read as an answer to its question; where one is meant for all, it is for what the edits add, too. `quote` are the
    words that agree, `edits` those of readings that were in doubt."""
    missing = [(part.label, one) for part in required.parts for one in part.missing] if required else []
    for label, one in ((label, one) for label, one in missing if one.suggestions):
        heard = read(one.suggestions[0], request, catalogue, ((label, one.name),), today)
        answers = (edit for edit in heard.edits if (edit.do, edit.name) == ("set", one.name))
        edits = (*edits, *(edit.model_copy(update={"quote": quote}) for edit in answers))
    return Edits(edits=edits)
