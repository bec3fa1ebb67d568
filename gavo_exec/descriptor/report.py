"""What the reader has to say about an RD: diagnostics in document order."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from lxml.etree import _Element

from gavo_exec.descriptor.places import Place, source_line
from gavo_exec.descriptor.provenance import Provenance
from gavo_exec.descriptor.source import Source
from gavo_exec.errors import DescriptorError, Diagnostic, Position, Severity

_MAX_DIAGNOSTICS = 1000
_LONGEST_SOUGHT_IN = 10_000
_SEVERITIES = {"E": Severity.ERROR, "W": Severity.WARNING, "N": Severity.NOTE}


class Report:
    """Collects diagnostics; places are only sought when there is one.

    A ``quiet`` one only remembers in ``failed`` whether there was a fault: for what has no bearing on executes.
    ``incomplete`` are elements that lack something because of a fault that was told already.
    """

    def __init__(self, source: Source, *, provenance: Provenance | None = None, quiet: bool = False) -> None:
        self.path = source.path
        self.root = source.root
        self.failed = False
        self.provenance = provenance or Provenance()
        self.provenance.add_source(source)
        self.incomplete: set[_Element] = set()
        self._quiet = quiet
        self._found: list[Diagnostic] = []
        self._told: set[tuple[str, str, Position]] = set()
        self._reached_by: tuple[Place, ...] = ()

    def add(self, code: str, message: str, place: Place, *, hint: str = "", fix: str | None = None) -> None:
        """Note a fault (codes with E), a warning (W) or a note (N); ``fix`` is what to write there instead.

        What is wrong with an element that is replayed or referred to several times is told once.  Raises
        DescriptorError where there is far too much to tell.
        """
        self.failed |= code.startswith("E")
        if self._quiet:
            return
        if len(self._found) >= _MAX_DIAGNOSTICS and self.failed:
            raise DescriptorError(self.diagnostics)  # nobody reads on, and to go on might take long
        trace = self.provenance.trace(place)
        position, excerpt, length = trace.source.locator.show(trace.place)
        if (code, message, position) in self._told:
            return
        self._told.add((code, message, position))
        self._found.append(
            Diagnostic(
                code=code,
                message=message,
                position=self._with_via(position, trace.tags),
                severity=_SEVERITIES[code[0]],
                hint=hint,
                excerpt=excerpt,
                length=length,
                fix=fix,
            )
        )

    def add_found(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Note what another file was refused for."""
        for found in diagnostics:
            self.failed |= found.severity is Severity.ERROR
            if not self._quiet and (key := (found.code, found.message, found.position)) not in self._told:
                self._told.add(key)
                position = _reached(found.position, tuple(self._references()))
                self._found.append(
                    Diagnostic(
                        code=found.code,
                        message=found.message,
                        position=position,
                        severity=found.severity,
                        hint=found.hint,
                        excerpt=found.excerpt,
                        length=found.length,
                    )
                )

    @property
    def route(self) -> tuple[Place, ...]:
        """The references through which we are here, innermost first."""
        return self._reached_by

    def reached_by(self, place: Place) -> AbstractContextManager[None]:
        """Let everything noted meanwhile say that it was reached through this place, a reference."""
        return self.on_route((place, *self._reached_by))

    @contextmanager
    def on_route(self, route: tuple[Place, ...]) -> Iterator[None]:
        """Let everything noted meanwhile say that it was reached through these references, innermost first."""
        before = self._reached_by
        self._reached_by = route
        try:
            yield
        finally:
            self._reached_by = before

    def position(self, place: Place) -> Position:
        """Where a place begins."""
        trace = self.provenance.trace(place)
        return self._with_via(trace.source.locator.position(trace.place), trace.tags)

    def lines_of(self, place: Place, offsets: Iterable[int]) -> list[int]:
        """The lines of the file for offsets in the value or text of a place."""
        trace = self.provenance.trace(place)
        return trace.source.locator.lines_of(trace.place, [trace.offset(offset) for offset in offsets])

    def path_of(self, place: Place) -> str:
        """The file that a place is in."""
        return self.provenance.trace(place).source.path

    def is_plain(self, node: _Element) -> bool:
        """Whether the lines of the element's text are lines of its file, beginning with that in which its tag ends."""
        return self.provenance.is_original(node) and self.provenance.home(node).plain

    def tag_position(self, node: _Element) -> Position:
        """Where an element's name stands in its start tag; cheaper than ``position`` where the file is plain."""
        if self.is_plain(node):
            source = self.provenance.home(node)
            line_at = source.lines.line
            row = source_line(node) - 1
            line = line_at(row)
            opening = f"<{node.tag}"
            if len(line) > _LONGEST_SOUGHT_IN:
                return self.position(Place(node))  # which goes through the file once, for all elements
            if line.lstrip().startswith("<"):
                if line.count(opening) == 1:
                    return Position(path=source.path, line=row + 1, column=line.index(opening) + 2)
            elif "<" not in line:
                # The line begins within the tag, where no other can begin.
                while row and "<" not in line:
                    row -= 1
                    line = line_at(row)
                if line.startswith(opening, column := line.rfind("<")):
                    return Position(path=source.path, line=row + 1, column=column + 2)
        return self.position(Place(node))

    def _with_via(self, position: Position, tags: tuple[_Element, ...]) -> Position:
        """The position with the tags that made it, and the references that led there."""
        # What made a tag that made this is further out than both.
        outermost_first = dict.fromkeys(reversed((*self._places_of(tags), *self._references())))
        return _reached(position, tuple(reversed(outermost_first)))

    def _places_of(self, tags: tuple[_Element, ...]) -> Iterator[Position]:
        """Where these tags stand, innermost first, each followed by those that made it."""
        for tag in tags:
            trace = self.provenance.trace(Place(tag))
            yield self.tag_position(trace.place.node)
            yield from self._places_of(trace.tags)

    def _references(self) -> Iterator[Position]:
        """The references through which we are here, innermost first."""
        for place in self._reached_by:
            trace = self.provenance.trace(place)
            yield trace.source.locator.position(trace.place)
            yield from self._places_of(trace.tags)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that was noted, in document order."""
        return tuple(sorted(self._found, key=self._order))

    def _order(self, diagnostic: Diagnostic) -> tuple[object, ...]:
        """Where in the RD itself it belongs, then where it stands; what has no place in the RD comes last."""
        there = diagnostic.position
        here = (there, *there.via)
        at = next((position for position in reversed(here) if position.path == self.path), there)
        return (at.path != self.path, *_place(at), there is not at, *_place(there))


def _place(position: Position) -> tuple[str, int, int]:
    """What positions are sorted by."""
    return (position.path, position.line, position.column)


def _reached(position: Position, via: tuple[Position, ...]) -> Position:
    """The position with further places through which it was reached."""
    if not via:
        return position
    places = tuple(Position(path=each.path, line=each.line, column=each.column) for each in via)
    return Position(path=position.path, line=position.line, column=position.column, via=(*position.via, *places))
