"""Laws of the schema: it refuses the executes that the checker refuses, but for what a schema cannot say.

What it cannot say is in ``BEYOND``, each with the reason.  Two things are left out by how documents are made: elements
in namespaces (the reader drops prefixes, a schema cannot), and faults in what stands beside executes (the reader looks
at that only where an execute needs it).
"""

import re
from collections import Counter
from collections.abc import Callable

import rnc2rng
from hypothesis import event, given, settings
from hypothesis import strategies as st
from lxml import etree

from gavo_exec.descriptor import read
from gavo_exec.descriptor.schema import relax_ng, relax_ng_compact
from gavo_exec.elements import EXECUTE, Attribute, Child, Element, Kind
from gavo_exec.errors import DescriptorError, Diagnostic

STRUCTURAL = {"E201", "E202", "E203", "E204", "E205", "E207", "E302", "E303"}
BEYOND = {
    # what the diagnostic is like: why the schema does not say so
    r"E203 the title of the execute is empty": "the table knows required, but not required and not blank",
    r"E203 the (property|binding of) .* has no value": "the same, for what stands in a property or bind",
    r"E302 every is (0|more than a century)": "a matter of the value, not of its type",
    r"E303 not an id": "an id is any text, but for # and control characters",
    r"E303 code may not be __NULL__": "Python is any text to the schema",
    r"E303 not a module to import": "imports are any texts to the schema",
    r"E303 not a name in Python: ' *(class|if|True)'": "the schema does not know the words of Python",
}
# All other codes are beyond it: E206 (ids differ) and E208 (original comes first) would need a memory; E301 is the
# grammar of times, E4 is Python, E5 are macros, references, parameters and items.


class Node:
    """An element in the making."""

    def __repr__(self) -> str:
        """It in XML."""
        return etree.tostring(self.tree(), encoding="unicode")

    def __init__(self, name: str) -> None:
        self.name = name
        self.attributes: dict[str, str] = {}
        self.children: list[Node] = []
        self.text = ""

    def all(self) -> list["Node"]:
        """The element and all elements in it."""
        return [self, *(node for child in self.children for node in child.all())]

    def tree(self) -> etree._Element:
        """The element as lxml has it."""
        tree = etree.Element(self.name, self.attributes)
        tree.text = self.text
        tree.extend(child.tree() for child in self.children)
        return tree


def document(nodes: list[Node]) -> bytes:
    """An RD of these; jobs can refer to the procDef p, setups to the setup s."""
    root = etree.fromstring(
        '<resource schema="x" resdir=".">'
        '<procDef id="p"><setup id="s"><par key="size">1</par></setup></procDef></resource>'
    )
    root.extend(node.tree() for node in nodes)
    return etree.tostring(root)


# What is right


SAID = {
    "title": ["T", "the title"],
    "at": ["7:30", "w1 7:30, 8:00", "m28 0:00"],
    "imports": ["os", "os.path, json as j"],
}
VALUES = {
    Kind.STRING: ["a", "b c", "\u00e4"],
    Kind.STRINGS: ["a, b"],
    Kind.INTEGER: ["60", "-3600", " +60\n", "1_000", "\u0663\u0660", "7200"],
    Kind.BOOLEAN: ["True", "false", "YES", "t", "oN", "0"],
    Kind.IDENTIFIER: ["a_1"],
    Kind.NAME: ["size", " other\n", "gr\u00f6\u00dfe"],
    Kind.CODE: ["pass", "x = 1", "if True:\n  pass"],
}
CONTENTS = {"par": ["1", "", "'a'"], "bind": ["2"], "property": ["v", " v "]}


def values_of(part: Attribute, spec: Element) -> list[str]:
    """Good values for an attribute."""
    if part.kind is Kind.REFERENCE:
        return ["s" if spec.name == "setup" else "p"]
    if part.choices:
        return [*part.choices[:3], "__NULL__"]
    return SAID.get(part.name, VALUES[part.kind])


@st.composite
def elements(draw: st.DrawFn, spec: Element, name: str) -> Node:
    """A good element, if of little sense."""
    node = Node(name)
    chosen = draw(st.sampled_from(spec.one_of)) if spec.one_of else ""
    for part in spec.attributes:
        if part.name == chosen or part.required or (part.name not in spec.one_of and draw(st.integers(0, 3)) == 0):
            put(draw, node, part, spec)
    for child in spec.children:
        if child.by_reference and draw(st.booleans()):
            put_reference(draw, node, child)
        else:
            most = 2 if child.repeated else 1
            for _ in range(draw(st.integers(int(child.required), most))):
                node.children.append(draw(elements(child.element, draw(st.sampled_from(child.names)))))
    if spec.content:
        node.text = draw(st.sampled_from(CONTENTS[spec.name]))
    node.children = draw(st.permutations(node.children))
    return node


def put(draw: st.DrawFn, node: Node, part: Attribute, spec: Element) -> None:
    """Say an attribute."""
    name = draw(st.sampled_from(part.names))
    value = draw(st.sampled_from(values_of(part, spec)))
    if part.only_attribute or part.name == "original" or draw(st.booleans()):
        node.attributes[name] = value
    else:
        child = Node(name)
        child.text = value
        node.children.append(child)


def put_reference(draw: st.DrawFn, node: Node, child: Child) -> None:
    """Refer to an element."""
    if draw(st.booleans()):
        node.attributes[child.name] = "p"
    else:
        reference = Node(child.name)
        reference.text = " p "
        node.children.append(reference)


# What may be wrong


WEAVABLE = {"execute", "jobs", "job", "setup", "setups", "par", "pars", "bind", "bindings", "procDef"}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"
NAMES = sorted({name for spec in (EXECUTE, *(c.element for c in EXECUTE.children)) for name in spec.by_name})
ELEMENT_NAMES = st.sampled_from([*NAMES, "par", "late", "evry", "table", "codeFrags"])
ATTRIBUTE_NAMES = st.sampled_from([*NAMES, "late", "alias", "evry", XML_LANG, XSI, "{urn:x}title"])
TEXTS = st.sampled_from(
    [
        "",
        " \n",
        "a",
        "60",
        "0",
        "1.5",
        "6 0",
        "1__0",
        "7:30",
        "True",
        " True",
        "maybe",
        "loaded",
        "Loaded",
        "__NULL__",
        "apply",
        "1x",
        "a b",
        "class",
        "a#b",
        "\\rdId",
        "if",
    ]
)


def add_attribute(draw: st.DrawFn, node: Node) -> None:
    node.attributes[draw(ATTRIBUTE_NAMES)] = draw(TEXTS)


def change_attribute(draw: st.DrawFn, node: Node) -> None:
    if node.attributes:
        node.attributes[draw(st.sampled_from(sorted(node.attributes)))] = draw(TEXTS)


def drop_attribute(draw: st.DrawFn, node: Node) -> None:
    if node.attributes:
        del node.attributes[draw(st.sampled_from(sorted(node.attributes)))]


def rename_attribute(draw: st.DrawFn, node: Node) -> None:
    if node.attributes:
        node.attributes[draw(ATTRIBUTE_NAMES)] = node.attributes.pop(draw(st.sampled_from(sorted(node.attributes))))


def add_child(draw: st.DrawFn, node: Node) -> None:
    child = Node(draw(ELEMENT_NAMES))
    child.text = draw(TEXTS)
    node.children.insert(draw(st.integers(0, len(node.children))), child)


def drop_child(draw: st.DrawFn, node: Node) -> None:
    if node.children:
        del node.children[draw(st.integers(0, len(node.children) - 1))]


def rename_child(draw: st.DrawFn, node: Node) -> None:
    if node.children:
        node.children[draw(st.integers(0, len(node.children) - 1))].name = draw(ELEMENT_NAMES)


def repeat_child(draw: st.DrawFn, node: Node) -> None:
    if node.children:
        node.children.append(node.children[draw(st.integers(0, len(node.children) - 1))])


def change_text(draw: st.DrawFn, node: Node) -> None:
    node.text = draw(TEXTS)


MUTATIONS: list[Callable[[st.DrawFn, Node], None]] = [
    add_attribute,
    change_attribute,
    drop_attribute,
    rename_attribute,
    add_child,
    drop_child,
    rename_child,
    repeat_child,
    change_text,
]


@st.composite
def executes(draw: st.DrawFn, most_changes: int = 3) -> list[Node]:
    """Executes, with some changes that may be for the worse."""
    names = draw(st.lists(st.sampled_from(["execute", "jobs"]), min_size=1, max_size=2))
    nodes = [draw(elements(EXECUTE, name)) for name in names]
    for _ in range(draw(st.integers(0, most_changes))):
        mutate = draw(st.sampled_from(MUTATIONS))
        mutate(draw, draw(st.sampled_from([each for node in nodes for each in node.all()])))
    return nodes


# What the two say


SCHEMA = etree.RelaxNG(etree.fromstring(relax_ng().encode()))
COMPACT = etree.RelaxNG(etree.fromstring(rnc2rng.dumps(rnc2rng.loads(relax_ng_compact())).encode()))


def is_valid(data: bytes) -> bool:
    """What the schema says, in either syntax."""
    tree = etree.fromstring(data)
    valid = SCHEMA.validate(tree)
    assert COMPACT.validate(tree) is valid
    return bool(valid)


def found_in(data: bytes) -> tuple[Diagnostic, ...]:
    """All that the reader has to say."""
    try:
        return read("/rds/x/q.rd", inputs_dir="/rds", data=data, thorough=True).warnings
    except DescriptorError as error:
        return error.diagnostics


def structural(found: tuple[Diagnostic, ...]) -> set[str]:
    """The codes of the faults that the schema is to see."""
    return {
        each.code
        for each in found
        if each.code in STRUCTURAL
        and not any(re.match(beyond, f"{each.code} {each.message}", re.DOTALL) for beyond in BEYOND)
    }


def is_repeated(found: tuple[Diagnostic, ...]) -> bool:
    """Whether something is given twice: the checker looks at the last alone, the schema at all."""
    return any(each.code == "W201" for each in found)


def test_the_schema_refuses_what_the_checker_refuses_and_nothing_else() -> None:
    seen: Counter[str] = Counter()

    @given(executes())
    @settings(max_examples=300)
    def law(nodes: list[Node]) -> None:
        data = document(nodes)
        found = found_in(data)
        codes = structural(found)
        if codes or not is_repeated(found):
            assert is_valid(data) is not bool(codes), (data, found, SCHEMA.error_log)
            for each in codes or {"accepted"}:
                seen[each] += 1
                event(each)

    law()
    # With all alike, this would show nothing.
    assert seen["accepted"] > 5, seen
    assert seen.total() - seen["accepted"] > 5, seen


# Active tags


def replay(draw: st.DrawFn, nodes: list[Node], streams: list[Node]) -> Node:
    """A tag that replays these elements, perhaps with a macro in one of them."""
    tag = Node(draw(st.sampled_from(["FEED", "LFEED", "LOOP"])))
    if tag.name == "LOOP":
        tag.attributes["listItems"] = "one"
    holder = Node(draw(st.sampled_from(["events", "STREAM", "NXSTREAM"])))
    holder.children = nodes
    if holder.name == "events":
        tag.children.append(holder)
    else:
        holder.attributes["id"] = tag.attributes["source"] = f"stream-{len(streams)}"
        streams.append(holder)
    with_attributes = [each for node in nodes for each in node.all() if each.attributes]
    if tag.name != "LFEED" and with_attributes and draw(st.booleans()):
        node = draw(st.sampled_from(with_attributes))
        name = draw(st.sampled_from(sorted(node.attributes)))
        tag.attributes["value"] = node.attributes[name]
        node.attributes[name] = "\\value"
    return tag


def is_reference(node: Node) -> bool:
    """Whether the element is one that refers to another."""
    return node.name == "procDef" and bool(node.text.strip())


@st.composite
def woven_executes(draw: st.DrawFn) -> list[Node]:
    """Executes of which some parts come from active tags, with the streams for these before them."""
    nodes = draw(executes(most_changes=1))
    streams: list[Node] = []
    for _ in range(draw(st.integers(1, 3))):
        within = [each for top in nodes for each in top.all()]
        # A procDef with text is a reference, and thus plain text.
        node = draw(st.sampled_from([each for each in within if each.name in WEAVABLE and not is_reference(each)]))
        for name in ("title", "at", "every", "on", "key"):
            if name in node.attributes and draw(st.booleans()):
                child = Node(name)
                child.text = node.attributes.pop(name)
                node.children.append(child)
        start, stop = sorted(draw(st.tuples(*[st.integers(0, len(node.children))] * 2)))
        node.children[start:stop] = [replay(draw, node.children[start:stop], streams)]
        if draw(st.integers(0, 3)) == 0:
            node.children.append(Node("STREAM"))
    if draw(st.integers(0, 3)) == 0:
        nodes = [replay(draw, nodes, streams)]
    return [*streams, *nodes]


def test_the_schema_takes_what_the_checker_takes_of_active_tags() -> None:
    seen: Counter[str] = Counter()

    @given(woven_executes())
    @settings(max_examples=200)
    def law(nodes: list[Node]) -> None:
        data = document(nodes)
        found = found_in(data)
        if any(each.code.startswith("E") for each in found) or is_repeated(found):
            outcome = "refused"
        else:
            outcome = "accepted"
            assert is_valid(data), (data, SCHEMA.error_log)
        seen[outcome] += 1
        event(outcome)

    law()
    assert seen["accepted"] > 5, seen
