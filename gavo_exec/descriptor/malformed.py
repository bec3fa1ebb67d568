"""What is wrong with a file that is no well-formed XML, in words for people who write RDs by hand."""

import re
from typing import NamedTuple
from xml.parsers import expat

_NUMBER_OF = expat.errors.codes
_NAME = re.compile(r"[^\s=/>]*")
_REFERENCE = re.compile(r"&([^#;\s<&][^;\s<&]*);")
_IN_CODE = "put code between <![CDATA[ and ]]>"
_DECLARED = re.compile(r"<!ENTITY\s+([^\s%]+)")


_SIMPLE = {
    _NUMBER_OF[expat.errors.XML_ERROR_UNCLOSED_TOKEN]: (
        "E102",
        "the file ends within what begins here",
        "is the file complete?",
    ),
    _NUMBER_OF[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]: (
        "E102",
        "something follows the end of the root element",
        "an RD has just one resource element",
    ),
    _NUMBER_OF[expat.errors.XML_ERROR_AMPLIFICATION_LIMIT_BREACH]: (
        "E106",
        "the entities of the file expand to too much text",
        "write the text out",
    ),
    _NUMBER_OF[expat.errors.XML_ERROR_RECURSIVE_ENTITY_REF]: (
        "E106",
        "an entity of the file expands to itself",
        "write the text out",
    ),
}
"""What needs no more words: code, message and hint."""


class Malformed(NamedTuple):
    """A fault at these offsets of the text."""

    message: str
    start: int
    end: int
    hint: str = ""
    code: str = "E102"


class _Stop(NamedTuple):
    """Where the parser stopped, and the elements that were open, each with its line."""

    number: int
    start: int
    opened: list[tuple[str, int]]


def explain(text: str) -> Malformed | None:
    """The first fault in the text, or None where it is well-formed but for namespaces."""
    if not text.strip():
        return Malformed("the file is empty", 0, 0)
    stop = _find(text)
    if stop is None:
        return None
    number, start, opened = stop
    if opened:
        name, line = opened[-1]
        if number == _NUMBER_OF[expat.errors.XML_ERROR_TAG_MISMATCH]:
            found = _stretch(_NAME, text, start)
            return Malformed(
                f"the end tag </{found}> does not close <{name}> of line {line}", start, start + len(found)
            )
        if number == _NUMBER_OF[expat.errors.XML_ERROR_NO_ELEMENTS]:
            end = len(text.rstrip())
            hint = f"is the file complete? </{name}> is missing"
            return Malformed(f"the file ends before <{name}> of line {line} is closed", end, end, hint)
    return _explain_simple(text, number, start)


def _find(text: str) -> _Stop | None:
    """Where the first fault is."""
    data = text.encode()
    parser = expat.ParserCreate("utf-8")
    opened: list[tuple[str, int]] = []
    parser.StartElementHandler = lambda name, _attributes: opened.append((name, parser.CurrentLineNumber))
    parser.EndElementHandler = lambda _name: opened.pop()
    try:
        parser.Parse(data, True)
    except expat.ExpatError as fault:
        start = len(data[: max(0, parser.ErrorByteIndex)].decode(errors="ignore"))
        return _Stop(fault.code, start, opened)
    return None


def _stretch(pattern: re.Pattern[str], text: str, start: int) -> str:
    """What the pattern matches there."""
    found = pattern.match(text, start)
    return found[0] if found else ""


def _explain_simple(text: str, number: int, start: int) -> Malformed:
    """A fault that has nothing to do with the elements around it."""
    if number in _SIMPLE:
        code, message, hint = _SIMPLE[number]
        return Malformed(message, start, start, hint, code)
    if number == _NUMBER_OF[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
        # For one in an attribute, expat tells where the tag begins.
        declared = {"lt", "gt", "amp", "quot", "apos", *_DECLARED.findall(text)}
        unknown = next((each for each in _REFERENCE.finditer(text, start) if each[1] not in declared), None)
        start, end = unknown.span() if unknown else (start, start)
        hint = "XML itself knows only &lt; &gt; &amp; &quot; and &apos;"
        return Malformed(f"the entity {text[start:end]} is not declared", start, end, hint)
    if number == _NUMBER_OF[expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE]:
        found = _stretch(_NAME, text, start)
        return Malformed(f"the attribute {found} is given twice", start, start + len(found))
    return _explain_token(text, start, expat.ErrorString(number))


def _explain_token(text: str, start: int, told: str) -> Malformed:
    """What expat means by an invalid token at this offset."""
    char, before = text[start : start + 1], text[start - 1 : start]
    if before == "&":
        return Malformed("a bare & stands here", start - 1, start, f"write &amp;, or {_IN_CODE}")
    if "<" in (before, char):
        start -= char != "<"
        return Malformed("a bare < stands here", start, start + 1, f"write &lt;, or {_IN_CODE}")
    if not char.isprintable() and char not in "\t\n\r":
        return Malformed(f"the character U+{ord(char):04X} is not allowed in XML", start, start + 1)
    if before == "=":
        return Malformed("the value of an attribute is not in quotes", start, start + 1)
    if text[start - 2 : start] == "--":
        return Malformed("-- stands within a comment, which XML does not allow", start - 2, start, "write - - instead")
    return Malformed(f"not well-formed: {told}", start, start + 1)
