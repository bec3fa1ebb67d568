"""Where elements come from that no file has: those that active tags made, and from which of several files.

Active tags copy elements and expand macros in them.  Each copy is noted here with what it was copied from, so that
whatever is said about it can be said of the file, with the tags through which it came.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lxml.etree import _Element

from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.source import Source
from gavo_exec.macros import Expansion

TEXT = ""
"""What stands for an element's own text where attributes go by name."""


class _Origin(NamedTuple):
    """What an element was copied from; ``expansions`` are those that changed something, ``tag`` did the replay."""

    node: _Element
    expansions: Mapping[str, Expansion]
    tag: _Element | None
    home: Source


class Trace(NamedTuple):
    """A place of the tree as one of a file; ``offset`` leads there from offsets in its text.

    ``tags`` are those that replayed it, innermost first.
    """

    source: Source
    place: Place
    offset: Callable[[int], int]
    tags: tuple[_Element, ...]


class Provenance:
    """What is known of the elements met in reading one RD."""

    def __init__(self) -> None:
        self._sources: dict[_Element, Source] = {}
        self._origins: dict[_Element, _Origin] = {}
        self._edited: dict[tuple[_Element, str], _Origin] = {}

    def add_source(self, source: Source) -> None:
        """Note a file's tree."""
        self._sources[source.root] = source

    def note_copy(
        self,
        copy: _Element,
        node: _Element,
        *,
        home: Source,
        attribute: str = "",
        tag: _Element | None = None,
        expansions: Mapping[str, Expansion] | None = None,
    ) -> None:
        """Note that ``copy`` was made of ``node``, by the replay of ``tag`` (None: as a part of something larger).

        With ``attribute``, only that was.
        """
        origin = _Origin(node, {} if expansions is None else expansions, tag, home)
        if attribute:
            self._edited[copy, attribute] = origin
        else:
            self._origins[copy] = origin

    def _origin(self, place: Place) -> _Origin | None:
        """What this place was copied from."""
        is_attribute = place.part in (Part.NAME, Part.VALUE)
        edited = self._edited.get((place.node, place.attribute)) if is_attribute else None
        return edited or self._origins.get(place.node)

    def is_original(self, node: _Element) -> bool:
        """Whether the element stands in a file as it is."""
        return node not in self._origins

    def home(self, node: _Element) -> Source:
        """The file among whose elements this one counts: its own, or that for which it was made."""
        origin = self._origins.get(node)
        return self._sources[node.getroottree().getroot()] if origin is None else origin.home

    def anchor(self, node: _Element) -> _Element:
        """The element of its home's file that stands for this one in document order."""
        home = self.home(node)
        while (origin := self._origins.get(node)) is not None:
            node = origin.node if origin.tag is None or origin.home is not home else origin.tag
        return node

    def trace(self, place: Place) -> Trace:
        """The place in a file that a place came from."""
        if place.node not in self._origins:
            return Trace(self._sources[place.node.getroottree().getroot()], place, _same, ())
        steps: list[Callable[[int], int]] = []
        tags: list[_Element] = []
        while (origin := self._origin(place)) is not None:
            if origin.tag is not None:
                tags.append(origin.tag)
            name = TEXT if place.part is Part.TEXT else place.attribute
            expansion = origin.expansions.get(name) if place.part in (Part.TEXT, Part.VALUE) else None
            place = place._replace(node=origin.node)
            if expansion is not None:
                steps.append(expansion.origin)
                end = None if place.end is None else expansion.origin(max(place.start, place.end - 1)) + 1
                place = place.within(expansion.origin(place.start), end)

        def offset(index: int) -> int:
            for step in steps:
                index = step(index)
            return index

        tags.reverse()  # the replay that came last is the outermost
        return Trace(self._sources[place.node.getroottree().getroot()], place, offset, tuple(tags))


def _same(offset: int) -> int:
    """The offset."""
    return offset
