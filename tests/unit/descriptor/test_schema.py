"""What is made from the table of elements."""

from pathlib import Path

import pytest
from lxml import etree

from gavo_exec.descriptor.schema import reference, relax_ng, write_derived
from gavo_exec.elements import ELEMENTS

ROOT = Path(__file__).parents[3]
GOOD = sorted((ROOT / "tests/data/good").glob("*/*.rd"))


@pytest.fixture(scope="module")
def schema() -> etree.RelaxNG:
    return etree.RelaxNG(etree.fromstring(relax_ng()))


def is_valid(schema: etree.RelaxNG, execute: str) -> bool:
    return bool(schema.validate(etree.fromstring(f'<resource schema="s">{execute}</resource>')))


def test_the_files_in_the_project_are_up_to_date() -> None:
    assert (ROOT / "schemas/gavo-exec.rng").read_bytes() == relax_ng()
    assert (ROOT / "docs/reference/elements.md").read_text(encoding="utf-8") == reference()


def test_files_are_written_where_they_differ(tmp_path: Path) -> None:
    assert [path.name for path in write_derived(tmp_path)] == ["gavo-exec.rng", "elements.md"]
    assert write_derived(tmp_path) == []


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.parent.name)
def test_good_rds_are_valid(schema: etree.RelaxNG, path: Path) -> None:
    tree = etree.parse(path, etree.XMLParser(attribute_defaults=False, recover=True))
    for node in tree.iter("{*}*"):
        # The schema is for editors, which know no undeclared prefixes.
        node.tag = str(node.tag).rpartition("}")[2].rpartition(":")[2]
    assert schema.validate(tree), schema.error_log


@pytest.mark.parametrize(
    "execute",
    [
        '<execute title="T" at="1:00"><job/></execute>',
        '<jobs every="60"><job><code>x</code></job><title>T</title><properties key="a">b</properties></jobs>',
        '<execute title="T"><at>1:00</at><at>2:00</at><job code="x"/><debug>Yes</debug></execute>',
        "<STREAM><execute/></STREAM>",
        '<table name="x"><anything a="b">goes</anything></table>',
    ],
)
def test_good_executes_are_valid(schema: etree.RelaxNG, execute: str) -> None:
    assert is_valid(schema, execute)


@pytest.mark.parametrize(
    "execute",
    [
        "<execute/>",
        '<execute at="1:00"><job/></execute>',
        '<execute title="T"><job/></execute>',
        '<execute title="T" at="1:00"/>',
        '<execute title="T" at="1:00" every="60"><job/></execute>',
        '<execute title="T" every="often"><job/></execute>',
        '<execute title="T" at="1:00" debug="maybe"><job/></execute>',
        '<execute title="T" at="1:00" evry="60"><job/></execute>',
        '<execute title="T" at="1:00"><job/><code/></execute>',
        '<execute title="T" at="1:00">x<job/></execute>',
        '<execute title="T" at="1:00"><job>x</job></execute>',
        '<execute title="T" at="1:00"><job/><property>x</property></execute>',
        '<execute title="T" at="1:00"><job/><execute title="T" at="1:00"><job/></execute></execute>',
    ],
)
def test_bad_executes_are_not_valid(schema: etree.RelaxNG, execute: str) -> None:
    assert not is_valid(schema, execute)


def test_everything_in_the_table_is_described() -> None:
    for element in ELEMENTS:
        assert element.description
        assert all(part.description for part in element.attributes)
        assert all(part.description or part.element for part in element.children)
