"""Active tags: STREAM and NXSTREAM record elements, FEED, LFEED and LOOP replay them; tree in, tree out.

Nothing of the tree as read is changed: what replays make are copies, and elements that hold active tags are copied with
these carried out.  Where each copy comes from is noted, so that faults are told where somebody wrote them.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from lxml import etree
from lxml.etree import _Element

from gavo_exec.descriptor.check import attributes_of, element_name, local_name, own_text
from gavo_exec.descriptor.jobsource import report_macros
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.provenance import TEXT
from gavo_exec.descriptor.references import BadReferenceError, Library
from gavo_exec.descriptor.replays import Replay, RunItems, read_replay
from gavo_exec.descriptor.report import Report
from gavo_exec.descriptor.scope import Scope, Stage, report_macro_fault
from gavo_exec.descriptor.source import Source
from gavo_exec.elements import (
    ACTIVE_TAGS,
    ELEMENTS,
    EVENTS,
    EXECUTE,
    MACDEF,
    PROCDEF,
    PROPERTY,
    REPLAYS,
    RESOURCE,
    SETUP,
    STREAMS,
    Child,
)
from gavo_exec.elements.portable import PREFIXES
from gavo_exec.macros import Expansion, Macro, expand

_MOST_ELEMENTS = 20_000
_MOST_CHARACTERS = 4 << 20
"""What all active tags of an RD may make: streams that feed streams grow like entity bombs."""

_DEEPEST = 50
"""How many replays may go on within each other."""

_REPLAYED = frozenset(REPLAYS)
_RECORDED = frozenset(STREAMS)
_ACTIVE = frozenset(ACTIVE_TAGS)
_FILTERS = tuple(f"{{*}}{name}" for name in (*REPLAYS, *STREAMS))
_CONCERNS = frozenset({EXECUTE.name, MACDEF.name, PROCDEF.name})
_HOLDING = frozenset({*STREAMS, *REPLAYS, EVENTS.name})
"""Elements whose children come to stand where they are replayed."""
_SPECS = {each.name: each for each in ELEMENTS}
_OF_RESOURCE = frozenset(child.name for child in RESOURCE.children)
_NO_CONTENT = frozenset({"DEFAULTS", "doc", "id"})
_CODE = frozenset({"code", "codeFrags"})
_EXPANDED_LATER = _CODE | {"property", "properties", "macDef", "par", "pars", "bind", "bindings"}
"""What the RD expands again when it has been replayed."""


class _TooMuchError(Exception):
    """The active tags of an RD make more than anybody wants."""


class Expander:
    """Carries out the active tags of one RD, and of the others that it refers to."""

    def __init__(
        self,
        *,
        library: Library,
        report: Report,
        scope_of: Callable[[Source], Scope],
        run_items: RunItems | None,
    ) -> None:
        self._library = library
        self._report = report
        self._provenance = report.provenance
        self._scope_of = scope_of
        self._run_items = run_items
        self._carried_out: dict[_Element, _Element] = {}
        self._recorded: dict[_Element, list[_Element]] = {}
        self._expanded: set[_Element] = set()
        self._replaying: list[_Element] = []  # the streams that are being replayed, outermost first
        self._elements = self._characters = self._faults = 0
        self._all_made: set[Source] = set()
        library.make_all = self._make_all

    def units(self, node: _Element) -> Iterable[_Element]:
        """What a child of the resource comes to: itself, a copy with active tags carried out, or what it replays."""
        name = local_name(node)
        if name not in _ACTIVE:
            return (self.carried_out(node),)
        if name not in _REPLAYED or not self._is_needed(node):
            return ()
        home = self._provenance.home(node)
        made = self._guarded(node, lambda: self._replay(node, home, only=_OF_RESOURCE))
        for unit in made:
            self._library.enter(home, unit)
        return made

    def carried_out(self, node: _Element) -> _Element:
        """The element with all active tags in it carried out."""
        if next(node.iterdescendants(*_FILTERS), None) is None:
            return node
        if node in self._carried_out:
            return self._carried_out[node]
        home = self._provenance.home(node)
        made = self._guarded(node, lambda: self._copy(node, None, home)) or [self._stump(node, home)]
        self._carried_out[node] = made[0]
        self._library.enter(home, made[0])
        return made[0]

    def _stump(self, node: _Element, home: Source) -> _Element:
        """What stands for an element with too much in it: nothing but its name."""
        stump = etree.Element(local_name(node))
        self._provenance.note_copy(stump, node, home=home)
        self._report.incomplete.add(stump)
        return stump

    def _guarded(self, node: _Element, make: Callable[[], list[_Element]]) -> list[_Element]:
        """What is made, or nothing where it is too much, which is told."""
        try:
            return make()
        except (_TooMuchError, RecursionError):
            message = f"the active tags make more than {_MOST_ELEMENTS:,} elements or {_MOST_CHARACTERS:,} characters"
            hint = "streams that feed streams multiply; a loop in the job's code does not"
            self._report.add("E525", f"{message}, or are nested too deeply", Place(node), hint=hint)
            return []

    def _make_all(self, source: Source) -> None:
        """Make what the active tags of another file make, for the ids in it."""
        if source not in self._all_made:
            self._all_made.add(source)
            for node in source.root.iterchildren(*_FILTERS):
                self.units(node)

    def _is_needed(self, tag: _Element) -> bool:
        """Whether a FEED or LOOP directly in the resource makes anything that concerns executes."""
        visited: set[_Element] = set()
        pending = [tag]
        lost: list[tuple[_Element, BadReferenceError]] = []
        while pending:
            for each in pending.pop().iter("*"):
                if element_name(each) in _CONCERNS or each.get("ref", "").startswith(("execute", "job")):
                    return True
                if element_name(each) == PROPERTY.name and _is_setting(each):
                    return True
                if local_name(each) in _REPLAYED and (reference := _source_of(each)):
                    try:
                        stream = self._library.find(reference, each, STREAMS)
                    except BadReferenceError as fault:
                        lost.append((each, fault))
                        if fault.later is None:
                            continue
                        stream = fault.later
                    if stream not in visited:
                        visited.add(stream)
                        pending.append(stream)
        for each, reason in lost:
            message = f"{local_name(each)} is passed over, as nothing shows that it makes executes: {reason}"
            self._report.add("W503", message, Place(each), hint=reason.hint)
        return False

    def _replay(self, tag: _Element, home: Source, *, only: frozenset[str] | None = None) -> list[_Element]:
        """What comes in the place of a FEED, LFEED or LOOP; where it is faulty, that is told and nothing comes."""
        scope = self._scope_of(home)
        replay = read_replay(tag, scope=scope, library=self._library, report=self._report, run_items=self._run_items)
        if replay is None or self._goes_round(replay):
            self._faults += 1
            return []
        self._replaying.append(replay.stream)
        try:
            made: list[_Element] = []
            with self._report.reached_by(Place(tag)):
                recorded = self._record(replay.stream, is_passive=replay.is_passive)
            chosen = [
                node for node in recorded if only is None or element_name(node) in only or local_name(node) in _ACTIVE
            ]
            for values in replay.items:
                macros = {**scope.macros, **replay.macros}
                macros.update((name, Macro(function=partial(str, value))) for name, value in values.items())
                for node in chosen:
                    made += self._copy(node, _Run(replay, macros), home)
            return made
        finally:
            self._replaying.pop()

    def _goes_round(self, replay: Replay) -> bool:
        """Whether the replay is within one of the same stream, which is told."""
        if len(self._replaying) > _DEEPEST:
            raise _TooMuchError
        if replay.stream not in self._replaying:
            return False
        shown = self._report.position(Place(replay.stream))
        message = f"{local_name(replay.tag)} replays the stream in line {shown.line} within itself"
        self._report.add("E504", message, Place(replay.tag), hint="let the stream do without this tag")
        return True

    def _record(self, stream: _Element, *, is_passive: bool) -> list[_Element]:
        """The elements in a stream, or in events, active tags in them carried out unless it is passive."""
        if stream not in self._recorded:
            name = local_name(stream)
            if (text := own_text(stream)).strip():
                start = len(text) - len(text.lstrip())
                where = Place(stream, Part.TEXT, start=start, end=len(text.rstrip()))
                self._report.add("E204", f"text stands directly in {name}", where)
            left_out = _NO_CONTENT if name in _RECORDED else frozenset()
            content = [each for each in stream.iterchildren("*") if local_name(each) not in left_out]
            if not is_passive:
                home = self._provenance.home(stream)
                content = [made for each in content for made in self._recorded_part(each, home)]
            self._recorded[stream] = content
        return self._recorded[stream]

    def _recorded_part(self, node: _Element, home: Source) -> Iterable[_Element]:
        """What an element in a stream is recorded as; a stream in it is one of the RD whose stream this is."""
        if next(node.iter(*_FILTERS), None) is None:
            return (node,)
        return self._copy(node, None, home)

    def _copy(self, node: _Element, run: "_Run | None", home: Source) -> list[_Element]:
        """The copies of an element: one, none if it is pruned or a stream, or all that it makes if it is a replay."""
        name = local_name(node)
        if name in _RECORDED:
            if run is not None and (stream := self._held_copy(node, run, home)) is not None:
                self._library.enter(home, stream)
            return []
        if name in _REPLAYED:
            tag = node if run is None else self._held_copy(node, run, home)
            return [] if tag is None else self._replay(tag, home)
        faults_before = self._faults
        copy = self._single_copy(node, run, home)
        if copy is None:
            return []
        for child in node.iterchildren("*"):
            copy.extend(self._copy(child, run, home))
        if run is not None:
            self._edit(copy, run, home)
        if self._faults > faults_before:
            self._report.incomplete.add(copy)
        return [copy]

    def _held_copy(self, node: _Element, run: "_Run", home: Source) -> _Element | None:
        """A copy in which active tags stay as they are; None if it is pruned."""
        copy = self._single_copy(node, run, home)
        if copy is not None:
            for child in node.iterchildren("*"):
                if (made := self._held_copy(child, run, home)) is not None:
                    copy.append(made)
            self._edit(copy, run, home)
        return copy

    def _single_copy(self, node: _Element, run: "_Run | None", home: Source) -> _Element | None:
        """A copy without the elements within; None if it is pruned."""
        copy = etree.Element(local_name(node))
        replay = run.replay if run is not None else None
        is_expanded = node in self._expanded
        expansions: dict[str, Expansion] = {}
        expands = replay is not None and replay.expands and (replay.reexpands or not is_expanded)
        tag = replay.tag if replay is not None else None
        self._provenance.note_copy(copy, node, home=home, tag=tag, expansions=expansions)
        for name, value in (*attributes_of(node).items(), (TEXT, own_text(node))):
            text = self._value(name, value, node, run, expansions) if expands else value
            if text is not None:
                self._set(copy, name, text)
        if (is_expanded or expands) and not (replay is not None and replay.is_open):
            self._expanded.add(copy)
        return None if replay is not None and replay.prunes(copy) else copy

    def _value(
        self, name: str, value: str, node: _Element, run: "_Run | None", expansions: dict[str, Expansion]
    ) -> str | None:
        """The value with macros expanded; None where it is faulty, which is told, and of no more use."""
        if run is None or "\\" not in value:
            return value
        expansion = expansions[name] = expand(value, run.macros)
        if expansion.faults:
            place = Place(node, Part.VALUE if name else Part.TEXT, name)
            with self._report.reached_by(Place(run.replay.tag)):
                return self._report_macros(name or local_name(node), value, expansion, place, run.replay.tag)
        return expansion.text

    def _report_macros(self, name: str, value: str, expansion: Expansion, place: Place, tag: _Element) -> str | None:
        """Tell what went wrong with macros in a value of this name; what is left of it that others may look at."""
        stage = Stage(local_name(tag), is_expanded_later=name in _EXPANDED_LATER)
        if name in _CODE:
            self._faults += report_macros(value, expansion, place.within, self._report, stage)
            return expansion.text
        self._faults += 1
        for fault in expansion.faults:
            report_macro_fault(fault, place.within(fault.start, fault.end), self._report, stage)
        return expansion.text if stage.is_expanded_later else None

    def _set(self, copy: _Element, name: str, value: str) -> None:
        """Give a copy a value."""
        self._elements += not name
        self._characters += len(value)
        if self._elements > _MOST_ELEMENTS or self._characters > _MOST_CHARACTERS:
            raise _TooMuchError
        try:
            if name:
                copy.set(name, value)
            else:
                copy.text = value
        except ValueError:
            place = Place(copy, Part.VALUE if name else Part.TEXT, name)
            self._report.add("E502", "macros make characters here that XML does not allow", place)
            self._faults += 1

    def _edit(self, copy: _Element, run: "_Run", home: Source) -> None:
        """Add what EDITs have for the copied element, just before its end."""
        for edit in run.replay.edits_of(copy):
            for name, value in attributes_of(edit).items():
                expansions: dict[str, Expansion] = {}
                if name != "ref" and (text := self._value(name, value, edit, run, expansions)) is not None:
                    tag = run.replay.tag
                    self._provenance.note_copy(copy, edit, attribute=name, home=home, tag=tag, expansions=expansions)
                    _make_room(copy, name)
                    self._set(copy, name, text)
            for child in edit.iterchildren("*"):
                for made in self._copy(child, run, home):
                    _make_room(copy, local_name(made))
                    copy.append(made)


def _make_room(node: _Element, name: str) -> None:
    """Remove what a value that comes last replaces: others of its name, where these do not add up."""
    spec = _SPECS.get(element_name(node))
    part = spec.by_name.get(name) if spec else None
    if part is None or (isinstance(part, Child) and part.repeated) or (spec is SETUP and name in _CODE):
        return
    for alias in part.names:
        if alias in node.attrib:
            del node.attrib[alias]
        for child in node.findall(alias):
            node.remove(child)


class _Run(NamedTuple):
    """One pass of a replay: the macros are those of one item."""

    replay: Replay
    macros: Mapping[str, Macro]


def _is_setting(node: _Element) -> bool:
    """Whether a property in a stream is one for executes of the resource that it is replayed in."""
    parent = node.getparent()
    name = node.get("name") or node.get("key") or ""
    return name.startswith(PREFIXES) and parent is not None and local_name(parent) in _HOLDING


def _source_of(tag: _Element) -> str:
    """The stream that a replay refers to, '' where it has none."""
    reference = tag.get("source", "")
    for child in tag.iterchildren("{*}source"):
        reference = own_text(child) or reference
    return reference
