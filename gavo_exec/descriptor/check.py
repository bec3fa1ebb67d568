"""A tree against the table of elements: every fault told, and what is left in easy reach."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import cast

from lxml.etree import _Element

from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.report import Report
from gavo_exec.elements import ELEMENTS, RESOURCE, Attribute, Child, Element
from gavo_exec.errors import shortened

_PASSED_OVER = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")
_TRUE = frozenset({"true", "yes", "t", "on", "enabled", "1"})
_FALSE = frozenset({"false", "no", "f", "off", "disabled", "0"})
NULL = "__NULL__"
"""What stands for None in texts."""


class Value:
    """The text of an atom and where it stands."""

    __slots__ = ("place", "text")

    def __init__(self, text: str, place: Place) -> None:
        self.text = text
        self.place = place


class Checked:
    """An element that was checked: its values and structured children by the names of the table.

    ``excused`` are parts that may not be missing but for a fault told already.
    """

    __slots__ = ("children", "content", "excused", "node", "spec", "values")

    def __init__(self, node: _Element, spec: Element) -> None:
        self.node = node
        self.spec = spec
        self.values: dict[str, list[Value]] = {}
        self.children: dict[str, list[Checked]] = {}
        self.content = ""
        self.excused: set[str] = set()

    def value(self, name: str) -> Value | None:
        """The value that counts: the last."""
        found = self.values.get(name)
        return found[-1] if found else None

    def all(self, name: str) -> list[Value]:
        """All values."""
        return self.values.get(name, [])


def check(node: _Element, spec: Element, report: Report, *, children: Iterable[_Element] | None = None) -> Checked:
    """Collect what the element says, and report all that is wrong with it; ``children`` are those to look at.

    Active tags have been carried out before.
    """
    checked = Checked(node, spec)
    known = spec.by_name
    if node in report.incomplete:
        checked.excused.update(known)
    attributes = attributes_of(node)
    for name in attributes:  # lxml seeks each value from the first on: only those are asked for that count
        part = known.get(name)
        if type(part) is Attribute or (type(part) is Child and part.by_reference):
            checked.values.setdefault(part.name, []).append(Value(attributes[name], Place(node, Part.VALUE, name)))
        elif not is_passed_over(name):
            _report_attribute(checked, name, report)
    for child in node if children is None else children:
        if type(child.tag) is str:
            _check_child(checked, child, report)
    if not spec.open:
        text = own_text(node)
        if spec.content:
            checked.content = text
        elif text and not text.isspace():
            start = len(text) - len(text.lstrip())
            where = Place(node, Part.TEXT, start=start, end=len(text.rstrip()))
            hint = "put it into <code>...</code>" if "code" in known else ""
            report.add("E204", f"text stands directly in {_the(spec)}", where, hint=hint)
    _check_whole(checked, report)
    return checked


def attributes_of(node: _Element) -> Mapping[str, str]:
    """The element's attributes, prefixes as namespaces in braces."""
    return cast("Mapping[str, str]", node.attrib)  # the stubs allow for bytes


def is_passed_over(attribute: str) -> bool:
    """Whether an attribute is for XML tools, and none of the RD's."""
    return attribute.startswith(_PASSED_OVER)


def own_text(node: _Element) -> str:
    """The element's own text, that on both sides of comments, instructions and children joined."""
    if not len(node):
        return node.text or ""
    return (node.text or "") + "".join(child.tail or "" for child in node)


def local_name(node: _Element) -> str:
    """The element's name without prefix or namespace."""
    return str(node.tag).rpartition("}")[2]


_ALIASES = {alias: child.name for element in ELEMENTS for child in element.children for alias in child.aliases}


def element_name(node: _Element) -> str:
    """What the table of elements calls the element."""
    name = local_name(node)
    return _ALIASES.get(name, name)


def _check_child(parent: Checked, node: _Element, report: Report) -> None:
    """Sort in one child element."""
    name = local_name(node)
    spec = parent.spec
    part = spec.by_name.get(name)
    if isinstance(part, Child):
        if part.by_reference and _is_plain(node):
            _take_text(parent, part.name, node)
            return
        parent.children.setdefault(part.name, []).append(check(node, part.element, report))
        if part.by_reference:
            parent.values.setdefault(part.name, []).append(Value("", Place(node)))
    elif part is None:
        if not spec.open:
            report.add("E201", f"{_the(spec)} has no element {name}", Place(node), hint=_suggest(name, parent))
    elif part.only_attribute:
        hint = f'write it into the tag: <{spec.name} {part.name}="...">'
        report.add("E201", f"{name} is an attribute only", Place(node), hint=hint)
    else:
        for attribute in attributes_of(node):
            if not is_passed_over(attribute):
                where = Place(node, Part.NAME, attribute)
                report.add("E205", f"{name} may not have attributes, it is plain text", where)
        for child in node.iterchildren("*"):
            report.add("E205", f"{name} may not have elements in it, it is plain text", Place(child))
        _take_text(parent, part.name, node)


def _take_text(parent: Checked, name: str, node: _Element) -> None:
    """Take up what an element says by its text; blank ones say nothing."""
    text = own_text(node)
    if text and not text.isspace():
        parent.values.setdefault(name, []).append(Value(text, Place(node, Part.TEXT)))


def _is_plain(node: _Element) -> bool:
    """Whether the element is nothing but text."""
    return not attributes_of(node) and next(node.iterchildren("*"), None) is None


def _report_attribute(checked: Checked, name: str, report: Report) -> None:
    """Say what is wrong with an attribute that may not stand here."""
    spec = checked.spec
    part = spec.by_name.get(name)
    where = Place(checked.node, Part.NAME, name)
    if isinstance(part, Child):
        checked.excused.add(part.name)
        report.add(
            "E202", f"{name} is an element, not an attribute", where, hint=f"write <{part.name}>...</{part.name}>"
        )
    elif not spec.open:
        namespace, _, local = name.rpartition("}")
        prefix = next((f"{short}:" for short, full in checked.node.nsmap.items() if f"{{{full}" == namespace), "")
        hint = _suggest(local, checked)
        meant = _MEANT.fullmatch(hint)
        # Where the meant one is given as well, a second would be no XML.
        fix = meant[1] if meant and not prefix and meant[1] not in checked.node.attrib else None
        report.add("E202", f"{_the(spec)} has no attribute {prefix}{local}", where, hint=hint, fix=fix)


def _check_whole(checked: Checked, report: Report) -> None:
    """What can only be said of an element as a whole: what is missing, and what is given twice."""
    spec = checked.spec
    for name, values in checked.values.items():
        part = spec.by_name[name]
        if len(values) > 1 and not (isinstance(part, Attribute) and part.repeated):
            _report_repeated(name, [value.place for value in values], report)
        if isinstance(part, Attribute) and part.choices and not _is_choice(values[-1].text, part):
            _report_choice(part, values[-1], report)
    for name, children in checked.children.items():
        if len(children) > 1 and not spec.by_name[name].repeated and name not in checked.values:
            _report_repeated(name, [Place(child.node) for child in children], report)
    for part in spec.required:
        there = part.name in checked.values or part.name in checked.children
        if not there and part.name not in checked.excused:
            hint = part.element.description if isinstance(part, Child) else part.description
            report.add("E203", f"{_the(spec)} has no {part.name}", Place(checked.node), hint=hint)
    if spec.one_of:
        _check_choice(checked, report)


def _check_choice(checked: Checked, report: Report) -> None:
    """See that exactly one is given of the attributes of which one has to be."""
    spec = checked.spec
    given = [name for name in spec.one_of if name in checked.values]
    if not given and checked.excused.isdisjoint(spec.one_of):
        *others, last = spec.one_of
        message = f"{_the(spec)} has neither {', '.join(others)} nor {last}"
        hint = 'write at="7:30" (UTC) or every="3600" (seconds)'
        report.add("E207", message, Place(checked.node), hint=hint)
    elif len(given) > 1:
        message = f"{_the(spec)} has {'both ' if len(given) == 2 else ''}{_enumerate(given)}"
        found = {report.position(place): place for place in (checked.values[name][-1].place for name in given)}
        latest = max(found, key=lambda position: (position.line, position.column))
        report.add("E207", message, found[latest], hint="keep one of them")


def _is_choice(text: str, part: Attribute) -> bool:
    """Whether a value is one of those that there are."""
    return text in part.choices or (text == NULL and part.may_be_null)


def _report_choice(part: Attribute, value: Value, report: Report) -> None:
    """Say that a value is none of those that there are."""
    near = difflib.get_close_matches(value.text.strip().lower(), part.choices, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it can be {_enumerate(part.choices)}"
    message = f"not a value for {part.name}: {shortened(value.text)}"
    report.add("E303", message, value.place, hint=hint, fix=near[0] if near else None)


def _report_repeated(name: str, places: list[Place], report: Report) -> None:
    """Warn that all but the last of these count for nothing."""
    before, last = (report.position(place) for place in places[-2:])
    times = "twice" if len(places) == 2 else f"{len(places)} times"
    message = (
        f"{name} is given {times}; this one, in {last.line}:{last.column}, counts, "
        f"not that in {before.line}:{before.column}"
    )
    report.add("W201", message, places[-1], hint="keep one of them")


def _the(spec: Element) -> str:
    """The element in a sentence."""
    return f"the {spec.name}"


_MEANT = re.compile(r"did you mean (\w+)\?")


def _suggest(name: str, checked: Checked) -> str:
    """The mend for a name that is not known in an element."""
    spec = checked.spec
    owners = [element.name for element in ELEMENTS if name in element.by_name and not element.open]
    if owners and name not in spec.by_name:
        nearest = [owner for owner in owners if owner in spec.by_name]
        return f"{name} belongs to {_enumerate(nearest or owners)}"
    if isinstance(RESOURCE.by_name.get(name), Child):
        return f"{name} belongs directly into the resource"
    known = {each.lower(): part.name for each, part in spec.by_name.items()}
    near = difflib.get_close_matches(name.lower(), known, n=1)
    if near:
        checked.excused.add(known[near[0]])
        return f"did you mean {known[near[0]]}?"
    return f"{_the(spec)} may have {_enumerate(dict.fromkeys(known.values()))}"


def _enumerate(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def boolean(value: Value | None, report: Report, *, default: bool = False) -> bool:
    """The truth that a value means."""
    if value is None:
        return default
    lowered = value.text.lower()
    if lowered not in _TRUE and lowered not in _FALSE:
        bare = value.text.strip()
        fix = bare if bare.lower() in _TRUE | _FALSE else None
        hint = "write it without blanks" if fix else "write True or False"
        report.add("E303", f"not a truth value: {value.text!r}", value.place, hint=hint, fix=fix)
    return lowered in _TRUE


def is_true(text: str) -> bool:
    """Whether a text is one of those that mean yes."""
    return text.lower() in _TRUE


def string(value: Value | None) -> str | None:
    """The text of a value, None where it is not given or says so."""
    return None if value is None or value.text == NULL else value.text
