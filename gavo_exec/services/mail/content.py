"""What a mail says, piece by piece, each with the two ways to show it: as lines of text, and as HTML.

All texts that come here are single printable lines; see texts.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import ClassVar, Final, Protocol

import msgspec

_PLAIN_STYLE, _, _STYLE_BY_READER = Path(__file__).with_name("mail.css").read_text(encoding="utf-8").partition("@media")
_STYLE: Final = f"<style>\n{_PLAIN_STYLE}</style>\n<style>\n@media{_STYLE_BY_READER}</style>"
"""In two, since some readers drop a style with something in it that they do not know."""
_WRAPPED: Final = "white-space:pre-wrap;overflow-wrap:anywhere"
"""How lines are broken, also by those readers that drop all styles."""


class Block(Protocol):
    """A piece of what a mail says; one without lines is left out."""

    def text(self) -> Iterator[str]:
        """Its lines as plain text."""
        ...

    def html(self) -> Iterator[str]:
        """Its lines as HTML."""
        ...


class Headline(msgspec.Struct, frozen=True):
    """How things stand, and the cause; ``tone`` is bad, good or plain."""

    word: str
    cause: str
    tone: str = "bad"

    def text(self) -> Iterator[str]:
        """``FAILED: exit 3``."""
        yield f"{self.word}: {self.cause}" if self.cause else self.word

    def html(self) -> Iterator[str]:
        """The same, large."""
        yield f'<h1 class="{escape(self.tone)}"><span>{escape(self.word)}</span> {escape(self.cause)}</h1>'


class Facts(msgspec.Struct, frozen=True):
    """Names and values in two columns; those without a value are left out."""

    look: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str]]

    def text(self) -> Iterator[str]:
        """``Job:  weather/q#fetch``."""
        given = [(name, value) for name, value in self.rows if value]
        width = max((len(name) for name, _ in given), default=0) + 2
        return (f"{name + ':':<{width}}{value}" for name, value in given)

    def html(self) -> Iterator[str]:
        """A table."""
        given = [(name, value) for name, value in self.rows if value]
        if given:
            rows = (f"<tr><th>{escape(name)}</th><td>{self._cell(value)}</td></tr>" for name, value in given)
            yield from (f'<table class="{self.look}">', *rows, "</table>")

    def _cell(self, value: str) -> str:
        return escape(value)


class Commands(Facts, frozen=True):
    """Command lines, each with what it is for."""

    look = "commands"

    def _cell(self, value: str) -> str:
        return f"<code>{escape(value)}</code>"


class Lines(msgspec.Struct, frozen=True):
    """Lines below their name, as they are, one of which may be marked; nothing where there are none.

    So many characters at the beginning of each (``gutter``) are no part of its text, but a number, say.
    """

    name: str
    lines: Sequence[str]
    marked: int | None = None
    gutter: int = 0

    def text(self) -> Iterator[str]:
        """Indented, the marked one by an arrow."""
        if self.lines:
            yield f"{self.name}:"
        for place, line in enumerate(self.lines):
            yield f"{'  > ' if place == self.marked else '    '}{line}".rstrip()

    def html(self) -> Iterator[str]:
        """In a box, as they are."""
        if self.lines:
            yield f"<h2>{escape(self.name)}</h2>"
            yield f'<pre style="{_WRAPPED}">{"".join(self._boxed())}</pre>'

    def _boxed(self) -> Iterator[str]:
        """Each line; what of it finds no room goes on below its text."""
        hanging = f"padding-left:{self.gutter}ch;text-indent:-{self.gutter}ch"
        for place, line in enumerate(self.lines):
            shown = f'<span style="{hanging}">{escape(line)}</span>' if self.gutter else escape(line)
            yield f"<mark>{shown}\n</mark>" if place == self.marked else f"{shown}\n"


class Words(msgspec.Struct, frozen=True):
    """Lines that make a paragraph."""

    lines: Sequence[str]

    def text(self) -> Iterator[str]:
        """As they are."""
        return iter(self.lines)

    def html(self) -> Iterator[str]:
        """One paragraph, broken where there is no more room."""
        if self.lines:
            yield f"<p>{escape(' '.join(self.lines))}</p>"


class Link(msgspec.Struct, frozen=True):
    """An address, with what is there."""

    name: str
    url: str

    def text(self) -> Iterator[str]:
        """``Dashboard: https://...``."""
        yield f"{self.name}: {self.url}"

    def html(self) -> Iterator[str]:
        """One that can be followed."""
        yield f'<p>{escape(self.name)}: <a href="{escape(self.url)}">{escape(self.url)}</a></p>'


class Heading(msgspec.Struct, frozen=True):
    """The beginning of one of several parts."""

    words: str

    def text(self) -> Iterator[str]:
        """Set off from what goes before."""
        yield f"== {self.words}"

    def html(self) -> Iterator[str]:
        """The same."""
        yield f"<h3>{escape(self.words)}</h3>"


def as_text(blocks: Iterable[Block]) -> str:
    """The pieces as plain text."""
    parts = ("\n".join(block.text()) for block in blocks)
    return "\n\n".join(part for part in parts if part).rstrip() + "\n"


def as_html(blocks: Iterable[Block], *, title: str) -> str:
    """The pieces as a page of HTML that needs nothing beside it."""
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en" dir="ltr">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)}</title>",
            f"{_STYLE}</head>",
            "<body><main>",
            *(line for block in blocks for line in block.html()),
            "</main></body>",
            "</html>",
            "",
        )
    )
