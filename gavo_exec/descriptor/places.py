"""Where things stand: places in the tree to lines and columns of the file.

lxml knows no columns, and lines only roughly.  So a place names a part of the tree, and only where somebody has to be
told a second parser goes through the file and finds it; good files cost nothing.
"""

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from enum import Enum
from functools import cached_property
from typing import NamedTuple, cast
from xml.parsers import expat

from lxml.etree import _Element

from gavo_exec.errors import Position

_LINE_END = re.compile(r"\r\n|\r|\n")
_FEW_LINES = 200
_LONGEST_EXCERPT = 10_000
"""Lines that are longer were not written by hand: they are not shown."""


class Lines:
    """A file's text by lines."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def has_lone_returns(self) -> bool:
        """Whether carriage returns end lines, as they do in XML and for Python, but not for lxml's count."""
        return "\r" in self.text and self.text.count("\r") != self.text.count("\r\n")

    @cached_property
    def all(self) -> list[str]:
        """The lines without their ends."""
        return _LINE_END.split(self.text) if "\r" in self.text else self.text.split("\n")

    def line(self, row: int) -> str:
        """One line without its end; rows count from 0.

        Executes mostly stand near the end of a file: to go there from the end is quicker than to take all apart.
        """
        steps = self._count - row
        if steps > _FEW_LINES or "all" in self.__dict__ or "\r" in self.text:
            return self.all[row]
        end = len(self.text)
        for _ in range(steps):
            end = self.text.rfind("\n", 0, end)
        return self.text[self.text.rfind("\n", 0, end) + 1 : end]

    @cached_property
    def _count(self) -> int:
        """How many line feeds there are."""
        return self.text.count("\n")

    @cached_property
    def _starts(self) -> list[int]:
        """The offset of each line."""
        return [0, *(end.end() for end in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """The position of an offset in the text."""
        line = bisect_right(self._starts, offset)
        return Position(path=self.path, line=line, column=offset - self._starts[line - 1] + 1)

    def offset(self, line: int, column: int) -> int:
        """The offset of a position, or the nearest there is."""
        line = min(line, len(self._starts))
        return min(self._starts[line - 1] + column - 1, len(self.text))

    def show(self, start: int, end: int) -> tuple[Position, str, int]:
        """Position, line and length within the line of the span between two offsets."""
        position = self.position(start)
        excerpt = self.all[position.line - 1]
        if len(excerpt) > _LONGEST_EXCERPT:
            excerpt = ""  # nobody reads it, and each of a thousand faults may keep and store it
        return position, excerpt, max(0, min(end - start, len(excerpt) - position.column + 1))


def source_line(node: _Element) -> int:
    """The line in which the element's start tag ends, as lxml counts: right where the file is plain."""
    return cast("int | None", node.sourceline) or 1


class Part(Enum):
    """Which part of an element a place is."""

    TAG = "its name in the start tag"
    NAME = "the name of an attribute"
    VALUE = "the value of an attribute"
    TEXT = "its text"


class Place(NamedTuple):
    """A part of the tree; ``start`` and ``end`` are offsets in the value or text (None: to its end)."""

    node: _Element
    part: Part = Part.TAG
    attribute: str = ""
    start: int = 0
    end: int | None = None

    def within(self, start: int, end: int | None) -> "Place":
        """A stretch of this value or text."""
        return self._replace(start=start, end=end)


class Piece(NamedTuple):
    """A stretch of an element's text or an attribute's value: where it begins there and in the file."""

    start: int
    offset: int
    copied: bool  # character by character; else a reference stands in the file


_TAG = re.compile(r"<[^\s/>]+")
_ATTRIBUTE = re.compile(r"""\s+([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
_REFERENCE = re.compile(r"&[^;]*;|\r\n")


class Locator:
    """Finds places in the file."""

    def __init__(self, lines: Lines, root: _Element) -> None:
        self._lines = lines
        self._text = lines.text
        self._data = lines.text.encode()
        self._root = root

    def show(self, place: Place) -> tuple[Position, str, int]:
        """Position, line, and length within the line of a place."""
        return self._lines.show(*self.span(place))

    def position(self, place: Place) -> Position:
        """Where a place begins."""
        return self._lines.position(self.span(place)[0])

    def line(self, place: Place) -> int:
        """The line in which a place begins."""
        return self.position(place).line

    def span(self, place: Place) -> tuple[int, int]:
        """The offsets in the file's text between which a place stands."""
        start = self._tags.get(place.node)
        if start is None:
            return self._lines.offset(source_line(place.node), 1), 0
        tag = _TAG.match(self._text, start)
        if tag is None:  # the element comes from an entity; all that can be shown is where that is named
            reference = _REFERENCE.match(self._text, start)
            return start, reference.end() if reference else start + 1
        if place.part is Part.TAG:
            return start + 1, tag.end()
        if place.part is Part.NAME:
            found = self._find_attribute(place, tag.end())
            return found.span(1) if found else (start + 1, tag.end())
        if stretch := _stretch(place, self._pieces(place)):
            return stretch
        return (start + 1, tag.end()) if place.part is Part.TEXT else self.span(place._replace(part=Part.NAME))

    def lines_of(self, place: Place, offsets: Iterable[int]) -> list[int]:
        """The file's lines for offsets in the value or text of a place."""
        pieces = self._pieces(place)
        if not pieces:
            return [self.line(place) for _ in offsets]
        return [self._lines.position(_offset_of(pieces, offset)).line for offset in offsets]

    def _pieces(self, place: Place) -> list[Piece]:
        """The pieces of the value or text of a place."""
        if place.part is Part.TEXT:
            return self._text_pieces(place.node)
        tag = _TAG.match(self._text, self._tags.get(place.node, 0))
        found = self._find_attribute(place, tag.end()) if tag else None
        return _value_pieces(found[2][1:-1], found.start(2) + 1) if found else []

    def _find_attribute(self, place: Place, position: int) -> re.Match[str] | None:
        """Where the place's attribute is given, from the end of the tag's name on."""
        wanted = place.attribute.rpartition("}")[2].rpartition(":")[2]
        while found := _ATTRIBUTE.match(self._text, position):
            if found[1].rpartition(":")[2] == wanted:
                return found
            position = found.end()
        return None

    @cached_property
    def _tags(self) -> dict[_Element, int]:
        """The offset of each element's start tag, in document order."""
        parser = expat.ParserCreate("utf-8")
        found: list[int] = []
        parser.StartElementHandler = lambda _name, _attributes: found.append(parser.CurrentByteIndex)
        with suppress(expat.ExpatError):
            parser.Parse(self._data, True)
        return dict(zip(self._root.iter("*"), self._characters(found), strict=False))

    def _characters(self, byte_offsets: Iterable[int]) -> Iterator[int]:
        """Ascending offsets in the data as offsets in the text."""
        last = count = 0
        for offset in byte_offsets:
            if self._text.isascii():
                yield offset
            else:
                count += len(self._data[last:offset].decode(errors="ignore"))
                last = offset
                yield count

    @cached_property
    def _texts(self) -> dict[_Element, list[tuple[str, int]]]:
        """For each element the parts of its own text, each with its offset."""
        parser = expat.ParserCreate("utf-8")
        opened: list[int] = []
        owners: list[int] = []
        found: list[str] = []
        places: list[int] = []
        count = itertools.count()

        def take(data: str) -> None:
            owners.append(opened[-1])
            found.append(data)
            places.append(parser.CurrentByteIndex)

        parser.StartElementHandler = lambda _name, _attributes: opened.append(next(count))
        parser.EndElementHandler = lambda _name: opened.pop()
        parser.CharacterDataHandler = take
        with suppress(expat.ExpatError):
            parser.Parse(self._data, True)
        nodes = list(self._tags)
        texts: dict[_Element, list[tuple[str, int]]] = {}
        for owner, data, offset in zip(owners, found, self._characters(places), strict=True):
            texts.setdefault(nodes[owner], []).append((data, offset))
        return texts

    def _text_pieces(self, node: _Element) -> list[Piece]:
        """The pieces of an element's own text."""
        pieces: list[Piece] = []
        length = 0
        for data, offset in self._texts.get(node, []):
            pieces.append(Piece(length, offset, self._text.startswith(data, offset)))
            length += len(data)
        return [*pieces, Piece(length, len(self._text), False)] if pieces else []


def _value_pieces(raw: str, offset: int) -> list[Piece]:
    """The pieces of an attribute's value, from what stands between the quotes.

    References are taken to stand for one character, as all but those to declared entities do.
    """
    pieces = [Piece(0, offset, True)]
    shrunk = 0
    for reference in _REFERENCE.finditer(raw):
        pieces.append(Piece(reference.start() - shrunk, offset + reference.start(), False))
        shrunk += len(reference[0]) - 1
        pieces.append(Piece(reference.end() - shrunk, offset + reference.end(), True))
    return [*pieces, Piece(len(raw) - shrunk, offset + len(raw), False)]


def _offset_of(pieces: list[Piece], index: int) -> int:
    """The file's offset for an index into what the pieces make up."""
    piece = pieces[max(0, bisect_right(pieces, index, key=lambda each: each.start) - 1)]
    return piece.offset + (index - piece.start if piece.copied else 0)


def _stretch(place: Place, pieces: list[Piece]) -> tuple[int, int] | None:
    """The offsets of the place's stretch of these pieces; None where they are empty."""
    if not pieces or pieces[-1].start == 0:
        return None
    length = pieces[-1].start
    start = min(place.start, length - 1)
    end = length if place.end is None else min(max(place.end, start + 1), length)
    last = _offset_of(pieces, end - 1) + 1
    for piece, following in itertools.pairwise(pieces):
        if piece.start <= end - 1 < following.start and not piece.copied:
            last = max(last, following.offset if piece.offset + 80 > following.offset else last)
    return _offset_of(pieces, start), last
