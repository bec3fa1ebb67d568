"""What is made from the table of elements for editors: the schema in two syntaxes, and what it says of RDs."""

from pathlib import Path

import pytest
import rnc2rng
from lxml import etree

from gavo_exec.descriptor import read
from gavo_exec.descriptor.compact import to_compact
from gavo_exec.descriptor.relaxng import Pattern, attribute, choice, define, element, many, matching, ref, word
from gavo_exec.descriptor.schema import relax_ng, relax_ng_compact
from gavo_exec.elements import ELEMENTS
from gavo_exec.errors import DescriptorError

ROOT = Path(__file__).parents[3]
RDS = sorted([*(ROOT / "tests/data/good").glob("*/*.rd"), *(ROOT / "examples").rglob("*.rd")])
SCHEMA = etree.RelaxNG(etree.fromstring(relax_ng().encode()))
COMPACT = etree.RelaxNG(etree.fromstring(rnc2rng.dumps(rnc2rng.loads(relax_ng_compact())).encode()))
"""The compact form, brought into XML by somebody else's converter."""


def is_valid(tree: etree._Element) -> bool:
    """What the schema says, in either syntax."""
    valid = SCHEMA.validate(tree)
    assert COMPACT.validate(tree) is valid
    return bool(valid)


def rd_with(execute: str) -> bytes:
    """An RD with this in it, and a procedure to refer to."""
    return (
        '<resource schema="s" resdir="." xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<procDef id="p"><setup id="u"><par key="size">1</par></setup></procDef>{execute}</resource>'
    ).encode()


def codes_of(data: bytes) -> set[str]:
    """The codes of the faults that the reader finds."""
    try:
        read("/rds/x/q.rd", inputs_dir="/rds", data=data, thorough=True)
    except DescriptorError as error:
        return {each.code for each in error.diagnostics if each.code.startswith("E")}
    return set()


@pytest.mark.parametrize("path", RDS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_good_rds_are_valid(path: Path) -> None:
    tree = etree.parse(path, etree.XMLParser(recover=True)).getroot()
    for node in tree.iter("{*}*"):
        # The schema is for editors, which know no undeclared prefixes.
        node.tag = str(node.tag).rpartition("}")[2].rpartition(":")[2]
    assert is_valid(tree), SCHEMA.error_log


TIMED = '<execute title="T" at="1:00">'


def job(content: str, attributes: str = "") -> str:
    """An execute with this in its job."""
    return f"{TIMED}<job {attributes}>{content}</job></execute>"


@pytest.mark.parametrize(
    "execute",
    [
        f"{TIMED}<job/></execute>",
        '<jobs every="60"><job><code>x</code></job><title>T</title><properties key="a">b</properties></jobs>',
        '<execute title="T"><at>1:00</at><at>2:00</at><job code="x"/><debug>Yes</debug></execute>',
        '<execute title="T" on="loaded"><job/></execute>',
        '<execute title="T"><on>loaded</on><job/></execute>',
        '<execute title="T" every=" +1_000 "><at> </at><on/><job/></execute>',
        '<execute title="T" every="\u0663\u0660"><job/></execute>',
        '<execute title="T" xsi:nil="x" xml:lang="en" at="1:00"><job/></execute>',
        '<execute at="1:00"><title/><title xml:lang="en">T</title><job/></execute>',
        # procedures
        job("", 'procDef="p"'),
        job("<procDef> p </procDef>"),
        job('<procDef original="p" code="pass"/><bind key="size">2</bind>'),
        job('<bindings name="size">2</bindings>', 'original="p" type="apply" doc="d"'),
        job('<setup original="u" imports="os"><code>x = 1</code><codeFrags>y = 1</codeFrags></setup>'),
        job('<setups><pars late="t"><name>a</name>1</pars><par key="\u00e4" alias=" b ">2</par></setups>'),
        # active tags
        "<STREAM><execute/></STREAM>",
        '<STREAM id="x"><DEFAULTS minutes="5"/><execute every="\\minutes" title="\\item"/><whatever/></STREAM>',
        '<LOOP listItems="a b"><events><execute title="\\item" every="60"><job/></execute></events></LOOP>',
        '<execute title="T"><FEED><events><at>1:00</at><job/></events></FEED></execute>',
        job('<STREAM id="x"/><FEED size="1"><events><code>pass</code></events><PRUNE id="y"/></FEED>'),
        '<FEED><events><execute id="e" title="T" at="1:00"/></events><EDIT ref="execute[e]"><job/></EDIT></FEED>',
        # all else
        '<table name="x"><anything a="b">goes</anything></table>',
    ],
)
def test_good_executes_are_valid(execute: str) -> None:
    data = rd_with(execute)
    assert codes_of(data) == set()
    assert is_valid(etree.fromstring(data)), SCHEMA.error_log


@pytest.mark.parametrize(
    ("execute", "code"),
    [
        ("<execute/>", "E203"),
        ('<execute at="1:00"><job/></execute>', "E203"),
        ('<execute at="1:00"><title> </title><job/></execute>', "E203"),
        ('<execute title="T" at="1:00"/>', "E203"),
        ('<execute title="T"><job/></execute>', "E207"),
        ('<execute title="T"><every/><job/></execute>', "E207"),
        ('<execute title="T" at="1:00" every="60"><job/></execute>', "E207"),
        ('<execute title="T" at="1:00"><on>loaded</on><job/></execute>', "E207"),
        ('<execute title="T" every="often"><job/></execute>', "E302"),
        ('<execute title="T" on="Loaded"><job/></execute>', "E303"),
        ('<execute title="T" at="1:00" debug="maybe"><job/></execute>', "E303"),
        (f"{TIMED}<debug>\nTrue</debug><job/></execute>", "E303"),
        ('<execute title="T" at="1:00" evry="60"><job/></execute>', "E202"),
        ('<execute title="T" at="1:00" job="p"/>', "E202"),
        ('<execute title="T" at="1:00" xmlns:o="urn:o" o:at="x"><job/></execute>', "E202"),
        (f"{TIMED}<job/><code/></execute>", "E201"),
        (f"{TIMED}<job/>{TIMED}<job/></execute></execute>", "E201"),
        (f"{TIMED}<job/><property><name>a</name>x</property></execute>", "E201"),
        (job("<procDefs>p</procDefs>"), "E201"),
        (f"{TIMED}x<job/></execute>", "E204"),
        (job("x"), "E204"),
        (job('<procDef code="pass">p</procDef>'), "E204"),
        (job('<code id="x">pass</code>'), "E205"),
        (job("<code><id/></code>"), "E205"),
        (f"{TIMED}<job/><property>x</property></execute>", "E203"),
        (job("<setup><par>1</par></setup>"), "E203"),
        (job("<bind>1</bind>"), "E203"),
        (job('<setup><par key="a b">1</par></setup>'), "E303"),
        (job('<setup><par key="a" late="x">1</par></setup>'), "E303"),
        (job("", 'type="job"'), "E303"),
        (job('<setup><bind key="a">1</bind></setup>'), "E201"),
        # active tags
        ('<execute title="T" at="1:00" evry="60"><FEED><events><job/></events></FEED></execute>', "E202"),
        ('<execute title="T" every="often"><FEED><events><job/></events></FEED></execute>', "E302"),
        ('<execute title="T" at="1:00"><STREAM/></execute>', "E203"),
        ('<execute title="T" at="1:00"><job/><PRUNE id="x"/></execute>', "E201"),
        ('<FEED reexpand="maybe"><events><execute/></events></FEED>', "E303"),
        ("<FEED><events><execute/></events><EDIT><job/></EDIT></FEED>", "E303"),
    ],
)
def test_bad_executes_are_not_valid(execute: str, code: str) -> None:
    data = rd_with(execute)
    assert code in codes_of(data)
    assert not is_valid(etree.fromstring(data))


def test_an_rd_that_names_its_schema_reads_well() -> None:
    data = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<?xml-model href="../gavo-exec.rng" schematypens="http://relaxng.org/ns/structure/1.0"?>\n'
        b'<resource schema="s" resdir="." xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\n'
        b'    xsi:noNamespaceSchemaLocation="s.xsd"><execute title="T" at="1:00"><job/></execute></resource>'
    )
    rd = read("/rds/x/q.rd", inputs_dir="/rds", data=data, thorough=True)
    assert [execute.position.line for execute in rd.executes] == [4]
    assert rd.warnings == ()
    assert is_valid(etree.fromstring(data))


def test_long_code_is_no_trouble() -> None:
    code = "x = 1\n" * 100_000
    assert is_valid(etree.fromstring(rd_with(job("<code>{code}</code>"))))
    assert is_valid(etree.fromstring(rd_with(f"<execute at='1:00'><title>{code}</title><job/></execute>")))


def test_everything_in_the_table_is_described() -> None:
    for spec in ELEMENTS:
        assert spec.description
        assert all(part.description for part in spec.attributes)
        assert all(part.description or part.element.description for part in spec.children)


def test_what_the_table_describes_is_told_by_the_schema() -> None:
    tree = etree.fromstring(relax_ng().encode())
    notes = {node.text for node in tree.iter("{http://relaxng.org/ns/compatibility/annotations/1.0}documentation")}
    described = {part.description for spec in ELEMENTS for part in spec.attributes}
    assert described | {spec.description for spec in ELEMENTS} <= notes
    assert all(f"## {note}\n" in relax_ng_compact() for note in notes)


def test_the_compact_syntax_by_example() -> None:
    pattern = Pattern(
        "grammar",
        (
            Pattern("start", (element(["a", "text"], ref("empty"), note="An a."),)),
            define(
                "empty",
                choice(
                    (many(attribute(["b"], choice((word("x"), matching(r"\d+"))))), element(["c"], Pattern("empty")))
                ),
            ),
        ),
    )
    assert to_compact(pattern) == (
        'datatypes xsd = "http://www.w3.org/2001/XMLSchema-datatypes"\n'
        'namespace xml = "http://www.w3.org/XML/1998/namespace"\n'
        'namespace xsi = "http://www.w3.org/2001/XMLSchema-instance"\n'
        "\nstart =\n  ## An a.\n  element a | \\text { \\empty }\n"
        '\n\\empty =\n  attribute b { xsd:string "x" | xsd:string { pattern = "\\d+" } }* |\n  element c { empty }\n'
    )
