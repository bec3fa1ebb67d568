"""The RELAX NG schema for editors, made from the table of elements.

It takes the executes that the checker takes, but for what a schema cannot say (times, Python, references), and passes
over all else.  An active tag stands for elements that are not there yet: where one that replays stands in an element,
nothing is required there any more.  In what is recorded everything goes, and the table serves for completion alone.
"""

from collections.abc import Iterable
from functools import cache

from gavo_exec.descriptor.compact import to_compact
from gavo_exec.descriptor.relaxng import (
    TEXT,
    Pattern,
    all_names_but,
    all_names_in,
    attribute,
    choice,
    define,
    element,
    group,
    interleave,
    many,
    matching,
    optional,
    ref,
    some,
    to_xml,
    word,
)
from gavo_exec.elements import (
    ACTIVE_TAGS,
    DEFAULTS,
    EDIT,
    ELEMENTS,
    EVENTS,
    REPLAYS,
    RESOURCE,
    STREAMS,
    Attribute,
    Child,
    Element,
    Kind,
)

_FOR_XML_TOOLS = ("http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2001/XMLSchema-instance")

_SPACE = r"[\s\p{Z}]*"
_TRUTHS = ("true", "yes", "t", "on", "enabled", "1", "false", "no", "f", "off", "disabled", "0")
_IN_ANY_CASE = (
    "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in truth) for truth in _TRUTHS
)
_KINDS = {
    Kind.INTEGER: ("integer", rf"{_SPACE}[+\-]?\d+(_\d+)*{_SPACE}"),
    Kind.BOOLEAN: ("boolean", "|".join(_IN_ANY_CASE)),
    Kind.IDENTIFIER: ("identifier", "[A-Za-z_][A-Za-z_0-9]*"),
    Kind.NAME: ("name", rf"{_SPACE}[\p{{L}}\p{{Nl}}_][\p{{L}}\p{{Nl}}\p{{Mn}}\p{{Mc}}\p{{Nd}}\p{{Pc}}]*{_SPACE}"),
}
"""Values of which not every text is one, each with a name for them and a regular expression."""
_TEXTS = {
    "blank": _SPACE,
    "notBlank": rf"{_SPACE}[^\s\p{{Z}}][\s\S]*",
    "withMacro": r"[\s\S]*\\[\s\S]*",
    "null": "__NULL__",
}
_BLANK = ref("blank")

_RECORDING = (*STREAMS, EVENTS.name, EDIT.name)
_ACTIVE = tuple(each for each in ELEMENTS if each.name in {*ACTIVE_TAGS, EVENTS.name, EDIT.name, DEFAULTS.name})
_PLAIN = tuple(each for each in ELEMENTS if each not in _ACTIVE and each is not RESOURCE)
"""Elements that executes are made of, or that stand beside them."""
_BY_NAME = {each.name: each for each in ELEMENTS}


def relax_ng() -> str:
    """The schema in XML syntax."""
    return to_xml(_grammar()).decode()


def relax_ng_compact() -> str:
    """The schema in compact syntax."""
    return to_compact(_grammar())


def _grammar() -> Pattern:
    """The schema."""
    return Pattern(
        "grammar",
        (
            Pattern("start", (element([RESOURCE.name], ref(RESOURCE.name), note=RESOURCE.description),)),
            define(RESOURCE.name, *_open_content(RESOURCE)),
            *(define(each.name, *_content(each)) for each in _PLAIN),
            define("streams", choice(_structured(_BY_NAME[name]) for name in STREAMS)),
            define("replays", choice(_structured(_BY_NAME[name]) for name in REPLAYS)),
            *(define(each.name, *_open_content(each)) for each in _ACTIVE),
            define("recorded", choice(_recorded_elements())),
            *(define(_recorded(each), *_recorded_content(each)) for each in _PLAIN),
            define(
                "anything",
                many(choice((TEXT, attribute(all_names_but()), element(all_names_but(), ref("anything"))))),
            ),
            define("toleratedAttributes", many(attribute(choice(map(all_names_in, _FOR_XML_TOOLS))))),
            *(define(name, matching(expression)) for name, expression in (*_KINDS.values(), *_TEXTS.items())),
        ),
    )


# Elements in which nothing may stand but what the table says


def _content(spec: Element) -> tuple[Pattern, ...]:
    """The content of an element, to stand in any order.

    Each way in which it can be complete is spelt out, as libxml2 is at a loss with one interleave within another.
    """
    if spec.open:
        return _open_content(spec)
    parts: tuple[Attribute | Child, ...] = (*spec.attributes, *spec.children)
    free: list[Pattern] = [ref("toleratedAttributes"), *((TEXT,) if spec.content else ())]
    required: list[Pattern] = []
    excused: list[Pattern] = []
    for part in parts:
        if part.name in spec.one_of:
            excused += _maybe(part)
        elif not part.required:
            free += _maybe(part)
        elif isinstance(part, Attribute) and part.only_attribute:
            free.append(_given(part))
        else:
            required.append(_given(part))
            excused += _maybe(part)
    if not spec.children and all(part.only_attribute for part in spec.attributes):
        return (interleave(free),)  # nothing that an active tag could bring
    free.append(many(ref("streams")))
    if not excused:
        return (interleave((*free, many(ref("replays")))),)
    complete = [interleave((*free, *required, *way)) for way in _ways_to_choose(spec)]
    return (choice((*complete, interleave((*free, *excused, some(ref("replays")))))),)


def _ways_to_choose(spec: Element) -> list[list[Pattern]]:
    """The ways to give exactly one of the attributes of which one has to be; elements for the others are blank."""
    choices = [part for part in spec.attributes if part.name in spec.one_of]
    ways = [[_given(part), *(_blanks(each) for each in choices if each is not part)] for part in choices]
    return ways or [[]]


def _maybe(part: Attribute | Child) -> tuple[Pattern, ...]:
    """What may stand in an element, any number of times: the last counts, and there is a warning."""
    if isinstance(part, Child):
        references = part.names if part.by_reference else ()
        described = part.description or part.element.description
        attributes = tuple(optional(attribute([name], note=described)) for name in references)
        return (*attributes, many(_structured(part.element, part)))
    attributes = tuple(optional(_attribute(part, name)) for name in part.names)
    return attributes if part.only_attribute else (*attributes, many(_atom(part, _value_or_blank(part))))


def _given(part: Attribute | Child) -> Pattern:
    """What must stand in an element: an attribute, under any of its names, or an element that is not blank."""
    if isinstance(part, Child):
        return some(_structured(part.element, part))
    as_attribute = choice(
        group(_attribute(part, name), *(optional(_attribute(part, other)) for other in part.names[number:]))
        for number, name in enumerate(part.names, start=1)
    )
    if part.only_attribute:
        return as_attribute
    more = many(_atom(part, _value_or_blank(part)))
    value = _value(part)
    as_element = _atom(part, ref("notBlank") if value is TEXT else value)
    return choice((group(as_attribute, more), group(_blanks(part), as_element, more)))


def _blanks(part: Attribute) -> Pattern:
    """Elements for an attribute that say nothing."""
    return many(element(part.names, ref("toleratedAttributes"), _BLANK))


def _attribute(part: Attribute, name: str) -> Pattern:
    """An attribute under one of its names."""
    return attribute([name], _value(part), note=part.description)


def _atom(part: Attribute, value: Pattern) -> Pattern:
    """An attribute written as an element."""
    return element(part.names, ref("toleratedAttributes"), value, note=part.description)


def _value(part: Attribute) -> Pattern:
    """The value of an attribute."""
    if part.choices:
        return choice((*map(word, part.choices), *((ref("null"),) if part.may_be_null else ())))
    if part.offered:
        return choice((*map(word, part.offered), TEXT))
    return ref(_KINDS[part.kind][0]) if part.kind in _KINDS else TEXT


def _value_or_blank(part: Attribute) -> Pattern:
    """The text of an element for an attribute."""
    value = _value(part)
    return value if value is TEXT else choice((value, _BLANK))


def _structured(spec: Element, part: Child | None = None) -> Pattern:
    """A structured element, or what refers to one."""
    names = part.names if part else (spec.name,)
    content = choice((TEXT, ref(spec.name))) if part and part.by_reference else ref(spec.name)
    return element(names, content, note=(part.description if part else "") or spec.description)


# Elements that may hold anything


def _open_content(spec: Element) -> tuple[Pattern, ...]:
    """The content of an open element: what the table has of it has to be right, everything else may be there, too."""
    attributes: list[Pattern] = []
    elements: list[Pattern] = []
    for part in spec.attributes:
        value = _value(part)
        if spec in _ACTIVE and value is not TEXT:
            value = choice((value, ref("withMacro")))  # active tags can be recorded, too
        given = tuple(attribute([name], value, note=part.description) for name in part.names)
        attributes += given if part.required else map(optional, given)
        if not part.only_attribute:
            elements.append(_atom(part, value if value is TEXT else choice((value, _BLANK))))
    elements += (_structured(part.element, part) for part in spec.children)
    # The names of elements are refused as attributes, but for active tags, where they would be macros.
    refused = () if spec in _ACTIVE else tuple(name for part in spec.children for name in part.names)
    return _with_all_else(attributes, elements, refused=refused, is_recording=spec.name in _RECORDING)


def _recorded_content(spec: Element) -> tuple[Pattern, ...]:
    """The content of an element that is recorded, where nothing is wrong before it is replayed."""
    attributes = [optional(attribute([name], note=part.description)) for part in spec.attributes for name in part.names]
    elements = [_any_atom(part) for part in spec.attributes if not part.only_attribute]
    for child in spec.children:
        note = child.description or child.element.description
        attributes += (optional(attribute([name], note=note)) for name in child.names if child.by_reference)
        elements.append(element(child.names, ref(_recorded(child.element)), note=note))
    return _with_all_else(attributes, elements)


def _recorded(spec: Element) -> str:
    """What the content of an element is called where that is recorded."""
    return f"recorded.{spec.name}"


def _any_atom(part: Attribute) -> Pattern:
    """An attribute written as an element that is recorded."""
    return element(part.names, ref("anything"), note=part.description)


@cache
def _recorded_elements() -> tuple[Pattern, ...]:
    """What can be recorded, and is worth offering."""
    elements = [element(_all_names(each), ref(_recorded(each)), note=each.description) for each in _PLAIN]
    taken = set(_names_of(elements))
    for part in (part for each in _PLAIN for part in each.attributes if not part.only_attribute):
        if taken.isdisjoint(part.names):
            taken.update(part.names)
            elements.append(_any_atom(part))
    return tuple(elements)


def _with_all_else(
    attributes: list[Pattern], elements: list[Pattern], *, refused: tuple[str, ...] = (), is_recording: bool = False
) -> tuple[Pattern, ...]:
    """Any of these attributes and elements, active tags, text, and all else but the attributes that are refused."""
    known = [*elements, *(_recorded_elements() if is_recording else ())]
    others = element(all_names_but((*_names_of(known), *STREAMS, *REPLAYS)), ref("anything"))
    recorded = (ref("recorded"),) if is_recording else ()
    return (
        *attributes,
        many(attribute(all_names_but((*_names_of(attributes), *refused)))),
        many(choice((TEXT, *elements, *recorded, ref("streams"), ref("replays"), others))),
    )


def _names_of(patterns: Iterable[Pattern]) -> list[str]:
    """The names that attributes or elements have."""
    classes = [(each.children[0] if each.tag == "optional" else each).children[0] for each in patterns]
    return [each.text for names in classes for each in (names.children or (names,))]


def _all_names(spec: Element) -> tuple[str, ...]:
    """The name of an element and what else it is called anywhere."""
    children = [child for each in ELEMENTS for child in each.children if child.element is spec]
    return tuple(dict.fromkeys((spec.name, *(name for child in children for name in child.names))))
