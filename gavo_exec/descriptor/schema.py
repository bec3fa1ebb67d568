"""What is made from the table of elements: the RELAX NG schema for editors and the reference page."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from lxml import etree
from lxml.etree import _Element

from gavo_exec.elements import ACTIVE_TAGS, ELEMENTS, RESOURCE, Attribute, Child, Element, Kind

_RNG = "http://relaxng.org/ns/structure/1.0"
_DOCUMENTATION = "http://relaxng.org/ns/compatibility/annotations/1.0"
_PREFIXES = cast("Mapping[str, str]", {None: _RNG, "a": _DOCUMENTATION})  # the stubs know no default prefix
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

_ANY_CASE = {
    word: "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word)
    for word in ("true", "yes", "t", "on", "enabled", "1", "false", "no", "f", "off", "disabled", "0")
}
_PATTERNS = {
    Kind.INTEGER: r"\s*[+\-]?\d+(_\d+)*\s*",
    Kind.BOOLEAN: "|".join(_ANY_CASE.values()),
    Kind.IDENTIFIER: "[A-Za-z_][A-Za-z_0-9]*",
}


def relax_ng() -> bytes:
    """The schema, as RELAX NG in XML syntax."""
    grammar = _make(
        "grammar",
        _make("start", _make("ref", name=RESOURCE.name)),
        *(_define(element) for element in ELEMENTS),
        _make(
            "define",
            _note("Whatever there may be."),
            _make(
                "zeroOrMore",
                _make(
                    "choice",
                    _make("text"),
                    _make("attribute", _make("anyName")),
                    _make("element", _make("anyName"), _make("ref", name="anything")),
                ),
            ),
            name="anything",
        ),
        _make(
            "define",
            _note("How an XML file names its schema."),
            _make("zeroOrMore", _make("attribute", _make("nsName", ns=_XSI))),
            name="schemaLocation",
        ),
        datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes",
    )
    return etree.tostring(grammar, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def reference() -> str:
    """The reference page of elements, as Markdown."""
    return "\n".join(_reference_lines())


def write_derived(root: str | Path) -> list[Path]:
    """Write all files made from the table below the root of the project; answers those that changed."""
    texts = {"schemas/gavo-exec.rng": relax_ng(), "docs/reference/elements.md": reference().encode()}
    changed = []
    for name, content in texts.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
            changed.append(path)
    return changed


def _make(tag: str, *content: _Element | str, **attributes: str) -> _Element:
    """An element of the schema."""
    node = etree.Element(f"{{{_RNG}}}{tag}", attributes, nsmap=_PREFIXES)
    for part in content:
        if isinstance(part, str):
            node.text = part
        else:
            node.append(part)
    return node


def _note(text: str) -> _Element:
    """What editors show."""
    note = etree.Element(f"{{{_DOCUMENTATION}}}documentation")
    note.text = text
    return note


def _define(element: Element) -> _Element:
    """The pattern for an element of the table."""
    content = _anything_with(element) if element.open else [_make("interleave", *_exactly(element))]
    names = _name_class((element.name, *_aliases(element)))
    return _make("define", _make("element", names, _note(element.description), *content), name=element.name)


def _anything_with(element: Element) -> list[_Element]:
    """The content of an open element: what the table has of it has to be right, everything else may be there, too."""
    attributes = (_make("optional", _attribute(part)) for part in element.attributes)
    elements = [_element(part) for part in element.attributes if not part.only_attribute]
    elements += [_make("ref", name=part.name) for part in element.children]
    others = _make("element", _all_but(element.by_name), _make("ref", name="anything"))
    return [
        *attributes,
        _make("zeroOrMore", _make("attribute", _all_but(element.by_name))),
        _make("zeroOrMore", _make("choice", _make("text"), *elements, others)),
    ]


def _exactly(element: Element) -> Iterator[_Element]:
    """The parts of an element's content, to stand in any order."""
    known: tuple[Attribute | Child, ...] = (*element.attributes, *element.children)
    yield from (_pattern(part) for part in known if part.name not in element.one_of)
    if element.one_of:
        yield _make("choice", *(_given(part) for part in element.attributes if part.name in element.one_of))
    yield _make("ref", name="schemaLocation")
    if element.content:
        yield _make("text")


def _all_but(names: Iterable[str]) -> _Element:
    """All names but these."""
    return _make("anyName", _make("except", *(_make("name", name) for name in names)))


def _aliases(element: Element) -> tuple[str, ...]:
    """What else the element may be called, wherever it stands."""
    found = {
        alias: None
        for each in ELEMENTS
        for child in each.children
        if child.element is element
        for alias in child.aliases
    }
    return tuple(found)


def _name_class(names: tuple[str, ...]) -> _Element:
    """One name or a choice of them."""
    return _make("name", names[0]) if len(names) == 1 else _make("choice", *(_make("name", name) for name in names))


def _pattern(part: Attribute | Child) -> _Element:
    """The pattern for something that may, or must, stand in an element."""
    if isinstance(part, Child):
        # Where one is enough, more are taken with a warning; so does the schema.
        return _make("oneOrMore" if part.required else "zeroOrMore", _make("ref", name=part.name))
    return _given(part) if part.required else _make("optional", _given(part))


def _given(part: Attribute) -> _Element:
    """The pattern for an attribute that is given: as an attribute, as child elements, or both."""
    if part.only_attribute:
        return _attribute(part)
    return _make(
        "choice",
        _make("group", _attribute(part), _make("zeroOrMore", _element(part))),
        _make("oneOrMore", _element(part)),
    )


def _attribute(part: Attribute) -> _Element:
    """The pattern for an attribute as such."""
    return _make("attribute", _name_class(part.names), _note(part.description), _text(part))


def _element(part: Attribute) -> _Element:
    """The pattern for an attribute written as an element."""
    return _make("element", _name_class(part.names), _note(part.description), _text(part))


def _text(part: Attribute) -> _Element:
    """The pattern for an attribute's value."""
    pattern = _PATTERNS.get(part.kind)
    if pattern is None:
        return _make("text")
    return _make("data", _make("param", pattern, name="pattern"), type="string")


def _reference_lines() -> Iterator[str]:
    """The lines of the reference page."""
    yield "# Elements of an RD"
    yield ""
    yield "<!-- Made from gavo_exec/elements.py by `make docs`; edit that instead. -->"
    yield ""
    yield "Whatever is called an attribute here may also be written as a child element, unless it says otherwise:"
    yield '`<execute title="x">` and `<execute><title>x</title>` mean the same. Where both are given, or one of them'
    yield "twice, the last counts and there is a warning."
    for element in ELEMENTS:
        yield ""
        yield f"## {element.name}"
        yield ""
        yield element.description
        if element.content:
            yield ""
            yield f"Its text: {element.content}"
        if element.attributes:
            yield ""
            yield "| attribute | value | default | meaning |"
            yield "| --- | --- | --- | --- |"
            yield from (_attribute_row(part, element) for part in element.attributes)
        if element.children:
            yield ""
            yield "| element | how often | meaning |"
            yield "| --- | --- | --- |"
            yield from (_child_row(part) for part in element.children)
    yield ""
    yield "## Active tags"
    yield ""
    yield f"{', '.join(ACTIVE_TAGS)} may stand anywhere but in plain text; they are passed over where they do not"
    yield "concern executes."
    yield ""


def _attribute_row(part: Attribute, element: Element) -> str:
    """The row of an attribute."""
    default = f"`{part.default}`" if part.default else ""
    if part.required:
        default = "required"
    elif part.name in element.one_of:
        default = f"one of {' and '.join(element.one_of)}"
    remarks = [part.description]
    if part.only_attribute:
        remarks.append("Only as an attribute.")
    if part.repeated:
        remarks.append("Several add up.")
    return f"| {_shown(part)} | {part.kind.value} | {default} | {' '.join(remarks)} |"


def _child_row(part: Child) -> str:
    """The row of a child element."""
    often = {(True, False): "once", (True, True): "at least once", (False, False): "at most once"}
    description = part.description or part.element.description
    shown = often.get((part.required, part.repeated), "any number")
    return f"| {_shown(part)} | {shown} | {description} |"


def _shown(part: Attribute | Child) -> str:
    """The names of an attribute or element."""
    return " or ".join(f"`{name}`" for name in part.names)
