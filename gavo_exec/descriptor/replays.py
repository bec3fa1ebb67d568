"""What a FEED, LFEED or LOOP says: the stream, the macros, the items, and what to change on the way."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import partial
from itertools import accumulate
from types import SimpleNamespace

from lxml.etree import _Element

from gavo_exec.descriptor.check import Value, attributes_of, boolean, is_passed_over, local_name, own_text
from gavo_exec.descriptor.codefaults import Body
from gavo_exec.descriptor.jobsource import read_code
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.references import BadReferenceError, Library
from gavo_exec.descriptor.report import Report
from gavo_exec.descriptor.scope import Scope, report_macro_fault
from gavo_exec.elements import STREAMS
from gavo_exec.macros import Expansion, Macro, expand
from gavo_exec.model import Code

RunItems = Callable[[Code, Mapping[str, object]], Iterable[Mapping[str, object]]]
"""Runs the code of ``codeItems``: the body of a generator, and the names it can use.  May raise anything."""

_ITEMS = ("listItems", "csvItems", "codeItems")
_STRUCTURED = frozenset({"events", "EDIT", "PRUNE"})
_SET_NOTHING = frozenset({*_ITEMS, "source", "reexpand"})
"""What is not given by an empty element, like all that is no macro."""
_EDITED = re.compile(r"\s*(\w+)\s*\[\s*([^\]]+?)\s*\]\s*")


class Replay:
    """A replay to be done: what of ``stream``, once for each of ``items``, which map names of macros to values.

    ``is_passive`` tells that active tags in the stream are to be carried out in the replay; ``is_open`` that others may
    expand macros in what it makes.
    """

    def __init__(self, tag: _Element, stream: _Element) -> None:
        self.tag = tag
        self.stream = stream
        self.is_open = local_name(stream) == "NXSTREAM"
        self.is_passive = self.is_open
        self.expands = local_name(tag) != "LFEED"
        self.reexpands = False
        self.macros: dict[str, Macro] = {}
        self.items: list[Mapping[str, str]] = [{}]
        self._edits: dict[tuple[str, str], list[_Element]] = {}
        self._prunes: list[list[tuple[str, re.Pattern[str]]]] = []

    def edit(self, name: str, identity: str, edit: _Element) -> None:
        """Add what is in an EDIT to elements of this name with this id or name."""
        self._edits.setdefault((name, identity), []).append(edit)

    def prune(self, patterns: list[tuple[str, re.Pattern[str]]]) -> None:
        """Leave out elements in whose attributes all these are found."""
        self._prunes.append(patterns)

    def edits_of(self, node: _Element) -> Iterator[_Element]:
        """The EDITs for an element."""
        if self._edits:
            for identity in dict.fromkeys((node.get("id"), node.get("name"))):
                yield from self._edits.get((local_name(node), identity or ""), ())

    def prunes(self, node: _Element) -> bool:
        """Whether an element is to be left out."""
        return any(
            all((value := node.get(name)) is not None and pattern.search(value) for name, pattern in patterns)
            for patterns in self._prunes
        )


def read_replay(
    tag: _Element, *, scope: Scope, library: Library, report: Report, run_items: RunItems | None
) -> Replay | None:
    """What the tag says; None where it is faulty, which is told."""
    failed_before = report.failed
    report.failed = False
    try:
        values = _values(tag)
        stream = _find_stream(tag, values.pop("source", None), library, report)
        if stream is None:
            return None
        replay = Replay(tag, stream)
        replay.reexpands = boolean(values.pop("reexpand", None), report)
        if local_name(stream) == "events":
            replay.is_passive = boolean(_attribute(stream, "passivate"), report)
        if local_name(tag) == "LOOP":
            items = {name: values.pop(name) for name in _ITEMS if name in values}
            replay.items = _read_items(tag, items, scope, report, run_items)
        replay.macros = {**_macros(_defaults(stream), report), **_macros(values, report)}
        _read_changes(tag, replay, report)
        return None if report.failed else replay
    finally:
        report.failed |= failed_before


def _values(node: _Element) -> dict[str, Value]:
    """What attributes and elements with text say, by name; elements come last."""
    values = {name: Value(text, Place(node, Part.VALUE, name)) for name, text in attributes_of(node).items()}
    values = {name: value for name, value in values.items() if not is_passed_over(name)}
    for child in node.iterchildren("*"):
        name, text = local_name(child), own_text(child)
        if name not in _STRUCTURED and (text.strip() or name not in _SET_NOTHING):
            values[name] = Value(text, Place(child, Part.TEXT))
    return values


def _attribute(node: _Element, name: str) -> Value | None:
    """The value of an attribute."""
    text = node.get(name)
    return None if text is None else Value(text, Place(node, Part.VALUE, name))


def _find_stream(tag: _Element, source: Value | None, library: Library, report: Report) -> _Element | None:
    """The stream or events to replay; None where there is none, or more than one."""
    name = local_name(tag)
    events = list(tag.iterchildren("{*}events"))
    if (source is None) is not bool(events):
        problem = "both source and events" if events else "neither source nor events"
        hint = "keep one of them" if events else f'write source="the id of a STREAM", or put <events> into the {name}'
        report.add("E521", f"the {name} has {problem}", Place(tag), hint=hint)
        return None
    if source is None:
        return events[-1]
    try:
        return library.find(source.text, tag, STREAMS)
    except BadReferenceError as fault:
        report_reference(fault, source.place, report)
        return None


def report_reference(fault: BadReferenceError, place: Place, report: Report) -> None:
    """Tell that a reference cannot be followed, and why the other file was refused, if it was."""
    report.add(fault.code, str(fault), place, hint=fault.hint)
    with report.reached_by(place):
        report.add_found(fault.found)


def _defaults(stream: _Element) -> dict[str, Value]:
    """The values of macros that a stream has for replays that have none."""
    values: dict[str, Value] = {}
    for node in stream.iterchildren("{*}DEFAULTS"):
        values.update(_values(node))
    return values


def _macros(values: Mapping[str, Value], report: Report) -> dict[str, Macro]:
    """The macros that these values are."""
    for name, value in values.items():
        if len(name) < 2:
            where = value.place._replace(part=Part.NAME if value.place.part is Part.VALUE else Part.TAG)
            hint = f"a call \\{name} would not be one; give it a longer name"
            report.add("E303", f"not a name for a macro, which has two characters or more: {name}", where, hint=hint)
    return {name: Macro(function=partial(str, value.text)) for name, value in values.items()}


def _read_changes(tag: _Element, replay: Replay, report: Report) -> None:
    """Take up EDITs and PRUNEs."""
    for node in tag.iterchildren("{*}EDIT"):
        ref = node.get("ref", "")
        found = _EDITED.fullmatch(ref)
        if found is None:
            where = Place(node, Part.VALUE, "ref") if ref else Place(node)
            report.add("E303", f"not something to edit: {ref!r}", where, hint='write ref="element[its id or name]"')
        else:
            replay.edit(found[1], found[2], node)
    for node in tag.iterchildren("{*}PRUNE"):
        patterns = []
        for name, pattern in attributes_of(node).items():
            try:
                patterns.append((name, re.compile(pattern)))
            except (re.error, OverflowError, RecursionError) as fault:
                where = Place(node, Part.VALUE, name)
                report.add("E303", f"not a regular expression: {pattern!r} ({fault})", where)
        if patterns:
            replay.prune(patterns)


def _read_items(
    tag: _Element, given: Mapping[str, Value], scope: Scope, report: Report, run_items: RunItems | None
) -> list[Mapping[str, str]]:
    """The items of a LOOP."""
    if len(given) != 1:
        problem = f"has {' and '.join(given)}" if given else "has no items"
        report.add("E521", f"the LOOP {problem}", Place(tag), hint=f"give one of {', '.join(_ITEMS)}")
        return []
    [(name, value)] = given.items()
    if name == "codeItems":
        return list(_run_code(value, scope.rd_id, report, run_items))
    expansion = expand(value.text, scope.macros)
    for fault in expansion.faults:
        report_macro_fault(fault, value.place.within(fault.start, fault.end), report)
    if name == "listItems":
        return [{"item": item} for item in expansion.text.split()]
    return list(_read_csv(expansion, value.place, report))


def _read_csv(expansion: Expansion, place: Place, report: Report) -> Iterator[dict[str, str]]:
    """The rows of a table in CSV by the names in its first line."""
    text = expansion.text.rstrip()
    begin = len(text) - len(text.lstrip())
    lines = text[begin:].splitlines(keepends=True)
    if place.part is Part.VALUE and len(lines) == 1:
        message = "csvItems has one line only, the names: in an attribute, line feeds are blanks"
        report.add("E522", message, place, hint="write it as an element: <csvItems>...</csvItems>")
        return
    starts = list(accumulate(map(len, lines), initial=begin))
    rows = csv.reader(lines, strict=True, skipinitialspace=True)

    def here() -> Place:
        line = text[starts[rows.line_num - 1] : starts[rows.line_num]]
        start = starts[rows.line_num - 1] + len(line) - len(line.lstrip())
        end = start + len(line.strip())
        return place.within(expansion.origin(start), expansion.origin(max(start, end - 1)) + 1)

    try:
        names = [name.strip() for name in next(rows, [])]
        if too_short := [name for name in names if len(name) < 2]:
            message = f"not a name for a macro, which has two characters or more: {', '.join(too_short) or 'nothing'}"
            report.add("E522", message, here(), hint="the first line of csvItems has the names")
            return
        for row in rows:
            if row and len(row) != len(names):
                message = f"this row of csvItems has {_count(row, 'value')} for {_count(names, 'name')}"
                hint = f"the names are {', '.join(names)}; a value with a comma in it stands in double quotes"
                report.add("E522", message, here(), hint=hint)
            elif row:
                yield {name: value.strip() for name, value in zip(names, row, strict=True)}
    except csv.Error as fault:
        report.add(
            "E522", f"csvItems is not CSV: {fault}", here(), hint="a double quote within quotes is written twice"
        )


def _count(things: Sized, name: str) -> str:
    """How many there are, in words."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _run_code(value: Value, rd_id: str, report: Report, run_items: RunItems | None) -> Iterator[dict[str, str]]:
    """The items that code makes."""
    place = Place(value.place.node) if value.place.part is Part.TEXT else value.place
    if run_items is None:
        message = "the items are made by code, and code does not run while RDs are read"
        hint = 'allow it for all RDs with the setting code_items = "run", or write the items as csvItems'
        report.add("E523", message, place, hint=hint)
        return
    code = read_code(value.place, value.text, macros=None, report=report, body=Body.ITEMS)
    if code is None:
        return
    names = {"context": SimpleNamespace(forRD=rd_id, idmap={})}
    try:
        for item in run_items(code, names):
            yield {str(name): str(each) for name, each in item.items()}
    except Exception as fault:  # whatever the code raises is a fault of the RD
        message = f"the code of codeItems failed: {type(fault).__name__}: {fault}"
        report.add("E524", message, place, hint="it is the body of a generator of dictionaries, name of macro to text")
