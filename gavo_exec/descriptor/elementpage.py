"""The reference page of elements, made from the table."""

import re
from collections.abc import Iterable, Iterator

from gavo_exec.elements import ACTIVE_TAGS, ELEMENTS, RESOURCE, Attribute, Child, Element, Kind

_ACTIVE = {*ACTIVE_TAGS, *(child.name for each in ELEMENTS if each.name in ACTIVE_TAGS for child in each.children)}
"""Active tags and what belongs to them, by name."""
_MACROS = frozenset({"FEED", "LFEED", "LOOP", "DEFAULTS"})
"""Elements whose further attributes are macros."""


def reference() -> str:
    """The reference page of elements, as Markdown."""
    # Markdown would make __NULL__ bold.
    return re.sub(r"__[A-Z]+__", r"`\g<0>`", "\n".join(_lines()))


def _lines() -> Iterator[str]:
    """The lines of the page."""
    yield "# Elements of an RD"
    yield ""
    yield "<!-- Made from gavo_exec/elements/ by `make docs`; edit that instead. -->"
    yield ""
    yield "Whatever is called an attribute here may also be written as a child element, unless it says otherwise:"
    yield '`<execute title="x">` and `<execute><title>x</title>` mean the same. Where both are given, or one of them'
    yield "twice, the last counts and there is a warning. An attribute written as an element that is empty or blank"
    yield "says nothing. Attributes of XML itself (`xml:`) and of XML Schema (`xsi:`) may stand everywhere."
    for element in ELEMENTS:
        if element.name == ACTIVE_TAGS[0]:
            yield from _active_tags()
        yield from _section(element)
    yield ""


def _active_tags() -> Iterator[str]:
    """What holds for all active tags."""
    yield ""
    yield "## Active tags"
    yield ""
    yield f"{_enumerate(ACTIVE_TAGS)} make other elements, or unmake them. But for PRUNE, which belongs to"
    yield "those that replay, they may stand wherever elements may, but not in an attribute written as an element."
    yield "Where they do not concern executes they are passed over. An element with active tags in it is looked at"
    yield "when they have been carried out, so that what is required in it may come from them. What is recorded is"
    yield "looked at when it is replayed, and may have macros in all attributes and texts."


def _section(element: Element) -> Iterator[str]:
    """What there is to say about an element."""
    yield ""
    yield f"{'###' if element.name in _ACTIVE else '##'} {element.name}"
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
    if element.open:
        yield ""
        yield _of_others(element)


def _of_others(element: Element) -> str:
    """What becomes of attributes and elements that are not in the table."""
    if element.name in _MACROS:
        return "Every other attribute, or element with text, is a macro of that name, of two characters or more."
    if element.name == "PRUNE":
        return "Its attributes: to each name of an attribute of the elements, a regular expression."
    if element.name in _ACTIVE:
        return "It holds any elements, active tags among them."
    return f"Other elements may stand in it{', and active tags' if element is RESOURCE else ''}."


def _attribute_row(part: Attribute, element: Element) -> str:
    """The row of an attribute."""
    default = f"`{part.default}`" if part.default else ""
    if part.required:
        default = "required"
    elif part.name in element.one_of:
        default = f"one of {_enumerate(element.one_of)}"
    remarks = [part.description]
    if part.only_attribute:
        remarks.append("Only as an attribute.")
    if part.repeated:
        remarks.append("Several add up.")
    return f"| {_shown(part)} | {_value(part)} | {default} | {' '.join(remarks)} |"


def _value(part: Attribute) -> str:
    """What the value of an attribute can be."""
    if part.kind is Kind.CHOICE:
        words = [f"`{choice}`" for choice in part.choices]
        return words[0] if len(words) == 1 else f"one of {', '.join(words)}"
    return str(part.kind.value)


def _child_row(part: Child) -> str:
    """The row of a child element."""
    often = {(True, False): "once", (True, True): "at least once", (False, False): "at most once"}
    remarks = [part.description or part.element.description]
    if part.by_reference:
        name = part.name
        remarks.append(
            f'`<{name}>...</{name}>` in place; or {Kind.REFERENCE.value}, as the attribute `{name}="..."` or as the '
            f"only thing in the element: `<{name}>id</{name}>`."
        )
    return f"| {_shown(part)} | {often.get((part.required, part.repeated), 'any number')} | {' '.join(remarks)} |"


def _shown(part: Attribute | Child) -> str:
    """The names of an attribute or element."""
    return " or ".join(f"`{name}`" for name in part.names)


def _enumerate(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
