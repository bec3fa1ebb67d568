"""RELAX NG as values: patterns, short ways to make them, and their form in XML."""

from collections.abc import Iterable, Mapping
from typing import cast

import msgspec
from lxml import etree
from lxml.etree import _Element

NAMESPACE = "http://relaxng.org/ns/structure/1.0"
DATATYPES = "http://www.w3.org/2001/XMLSchema-datatypes"
_ANNOTATIONS = "http://relaxng.org/ns/compatibility/annotations/1.0"
_PREFIXES = cast("Mapping[str, str]", {None: NAMESPACE, "a": _ANNOTATIONS})  # the stubs know no default prefix


class Pattern(msgspec.Struct, frozen=True):
    """A pattern, a class of names, or a part of one, called by ``tag`` as in the XML form.

    ``note`` is what editors show; ``text`` is that of a value, a name or a parameter.
    """

    tag: str
    children: tuple["Pattern", ...] = ()
    name: str = ""
    text: str = ""
    note: str = ""


TEXT = Pattern("text")


def element(names: Iterable[str] | Pattern, *content: Pattern, note: str = "") -> Pattern:
    """An element that has one of these names."""
    return Pattern("element", (_name_class(names), *content), note=note)


def attribute(names: Iterable[str] | Pattern, content: Pattern = TEXT, *, note: str = "") -> Pattern:
    """An attribute that has one of these names."""
    return Pattern("attribute", (_name_class(names), content), note=note)


def _name_class(names: Iterable[str] | Pattern) -> Pattern:
    """The class of these names."""
    return names if isinstance(names, Pattern) else choice(Pattern("name", text=name) for name in names)


def all_names_but(names: Iterable[str] = ()) -> Pattern:
    """The class of all names but these."""
    excluded = tuple(Pattern("name", text=name) for name in dict.fromkeys(names))
    return Pattern("anyName", (Pattern("except", (choice(excluded),)),) if excluded else ())


def all_names_in(namespace: str) -> Pattern:
    """The class of all names in a namespace."""
    return Pattern("nsName", name=namespace)


def choice(patterns: Iterable[Pattern]) -> Pattern:
    """One of these."""
    return _combined("choice", patterns)


def group(*patterns: Pattern) -> Pattern:
    """These in this order; that of attributes does not matter."""
    return _combined("group", patterns)


def interleave(patterns: Iterable[Pattern]) -> Pattern:
    """These in any order."""
    return _combined("interleave", patterns)


def _combined(tag: str, patterns: Iterable[Pattern]) -> Pattern:
    """Several patterns as one; a choice within a choice is the same choice."""
    parts = [part for each in patterns for part in (each.children if each.tag == tag else (each,))]
    return parts[0] if len(parts) == 1 else Pattern(tag, tuple(parts))


def optional(pattern: Pattern) -> Pattern:
    """This or nothing."""
    return Pattern("optional", (pattern,))


def many(pattern: Pattern) -> Pattern:
    """This, any number of times."""
    return Pattern("zeroOrMore", (pattern,))


def some(pattern: Pattern) -> Pattern:
    """This, once or more often."""
    return Pattern("oneOrMore", (pattern,))


def ref(name: str) -> Pattern:
    """What is defined under this name."""
    return Pattern("ref", name=name)


def define(name: str, *content: Pattern) -> Pattern:
    """A pattern with a name."""
    return Pattern("define", content, name=name)


def matching(expression: str) -> Pattern:
    """Text that a regular expression, as XML Schema knows them, matches in full."""
    return Pattern("data", (Pattern("param", text=expression, name="pattern"),), name="string")


def word(text: str) -> Pattern:
    """Just this text."""
    return Pattern("value", text=text, name="string")


_NAMED_BY = {"data": "type", "value": "type", "nsName": "ns"}


def to_xml(grammar: Pattern) -> bytes:
    """The file in XML syntax."""
    root = _node(grammar)
    root.set("datatypeLibrary", DATATYPES)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _node(pattern: Pattern) -> _Element:
    """The pattern as an element."""
    node = etree.Element(f"{{{NAMESPACE}}}{pattern.tag}", nsmap=_PREFIXES)
    if pattern.name:
        node.set(_NAMED_BY.get(pattern.tag, "name"), pattern.name)
    if pattern.text:
        node.text = pattern.text
    if pattern.note:
        note = etree.SubElement(node, f"{{{_ANNOTATIONS}}}documentation")
        note.text = pattern.note
    children = pattern.children
    if pattern.tag in {"element", "attribute"} and children[0].tag == "name":
        node.set("name", children[0].text)
        children = children[1:]
    node.extend(_node(child) for child in children)
    return node
