"""Markdown drawn for a terminal: tables that fit its width, headings, and colour where there is some. Text in, text out: who has a
terminal, and how wide it is, is known elsewhere. Rich is loaded when something is drawn."""

from __future__ import annotations

import re
from functools import cache
from io import StringIO
from typing import Any, ClassVar

from tools.rules.names.foreign import seen

COLUMNS_MAX = 100
"""Wider lines are hard to read, however wide the terminal is."""
PROGRESS_ENDS = "…"
"""A line that ends in it says what is being done: the next line may take its place."""
_PICTURE = re.compile(r"^```mermaid\n.*?^```$", re.MULTILINE | re.DOTALL)


def draw_markdown(text: str, columns: int, colour: bool = True) -> str:
    """What is said, for a terminal of so many columns. Nothing in it can steer the terminal; pictures are for who can show them."""
    from rich.console import Console

    out = StringIO()
    width = max(20, min(columns, COLUMNS_MAX))
    console = Console(file=out, width=width, force_terminal=colour, no_color=None if colour else True, highlight=False)
    console.print(_markdown()(_PICTURE.sub("", seen(text))), crop=False)
    return re.sub(r"\A(?:[ ]*\n)+|\s+\Z", "", out.getvalue())


def is_progress(text: str) -> bool:
    """All of it says only what is being done."""
    return all(line.rstrip().endswith(PROGRESS_ENDS) for line in text.strip().splitlines())


@cache
def _markdown() -> Any:
    """Rich's Markdown with elements of our own: a line to be typed stands as it is, to be copied; headings stand on the left."""
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
    from rich.segment import Segment
    from rich.style import Style

    class Typed(CodeBlock):
        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for line in str(self.text).rstrip().splitlines():
                yield Segment("    ")
                yield Segment(line, Style(bold=True))
                yield Segment.line()

    class Left(Heading):
        LEVEL_ALIGN: ClassVar[Any] = {}

    class Drawn(Markdown):
        elements: ClassVar[dict[str, type[MarkdownElement]]] = {
            **Markdown.elements,
            "fence": Typed,
            "code_block": Typed,
            "heading_open": Left,
        }

    return Drawn
