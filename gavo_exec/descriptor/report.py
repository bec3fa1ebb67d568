"""What the reader has to say about an RD: diagnostics in document order."""

from functools import cached_property

from lxml.etree import _Element

from gavo_exec.descriptor.places import Locator, Place, source_line
from gavo_exec.descriptor.source import Source
from gavo_exec.errors import DescriptorError, Diagnostic, Position, Severity

_MAX_DIAGNOSTICS = 1000
_LONGEST_SOUGHT_IN = 10_000
_SEVERITIES = {"E": Severity.ERROR, "W": Severity.WARNING, "N": Severity.NOTE}


class Report:
    """Collects diagnostics; places are only sought when there is one.

    A ``quiet`` one only remembers in ``failed`` whether there was a fault: for what has no bearing on executes.
    """

    def __init__(self, source: Source, *, quiet: bool = False) -> None:
        self.path = source.path
        self.failed = False
        self._source = source
        self._quiet = quiet
        self._found: list[Diagnostic] = []

    @cached_property
    def locator(self) -> Locator:
        """Finds places in the file, at some cost the first time."""
        return Locator(self._source.lines, self._source.root)

    def add(self, code: str, message: str, place: Place, *, hint: str = "", fix: str | None = None) -> None:
        """Note a fault (codes with E), a warning (W) or a note (N); ``fix`` is what to write there instead.

        Raises DescriptorError where there are far too many.
        """
        self.failed |= code.startswith("E")
        if self._quiet:
            return
        if len(self._found) >= _MAX_DIAGNOSTICS and self.failed:
            raise DescriptorError(self.diagnostics)  # nobody reads on, and to go on might take long
        position, excerpt, length = self.locator.show(place)
        severity = _SEVERITIES[code[0]]
        self._found.append(
            Diagnostic(
                code=code,
                message=message,
                position=position,
                severity=severity,
                hint=hint,
                excerpt=excerpt,
                length=length,
                fix=fix,
            )
        )

    def position(self, place: Place) -> Position:
        """Where a place begins."""
        return self.locator.position(place)

    def tag_position(self, node: _Element) -> Position:
        """Where an element's name stands in its start tag; cheaper than ``position`` where the file is plain."""
        if self._source.plain:
            lines = self._source.lines.all
            row = source_line(node) - 1
            opening = f"<{node.tag}"
            if len(lines[row]) > _LONGEST_SOUGHT_IN:
                return self.locator.position(Place(node))  # which goes through the file once, for all elements
            if lines[row].lstrip().startswith("<"):
                if lines[row].count(opening) == 1:
                    return Position(path=self.path, line=row + 1, column=lines[row].index(opening) + 2)
            elif "<" not in lines[row]:
                # The line begins within the tag, where no other can begin.
                while row and "<" not in lines[row]:
                    row -= 1
                if lines[row].startswith(opening, column := lines[row].rfind("<")):
                    return Position(path=self.path, line=row + 1, column=column + 2)
        return self.locator.position(Place(node))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that was noted, in document order."""
        return tuple(sorted(self._found, key=lambda found: (found.position.line, found.position.column)))
