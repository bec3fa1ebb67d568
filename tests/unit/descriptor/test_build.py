"""What the reader makes of an RD as a whole."""

import gc
import weakref
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from gavo_exec.descriptor import read
from gavo_exec.descriptor.build import Context, build_rd, slug_of
from gavo_exec.descriptor.source import Source
from gavo_exec.errors import DescriptorError, Diagnostic
from gavo_exec.model import Execute, ResourceDescriptor
from gavo_exec.schedule import At, Every


def rd_of(inner: str, *, attributes: str = 'schema="s" resdir="."', thorough: bool = False) -> ResourceDescriptor:
    data = f"<resource {attributes}>{inner}</resource>".encode()
    return read("/rds/x/q.rd", inputs_dir="/rds", data=data, thorough=thorough)


def execute_of(attributes: str, inner: str = "<job/>", *, before: str = "") -> Execute:
    return rd_of(f"{before}<execute {attributes}>{inner}</execute>").executes[0]


def codes_of(inner: str) -> list[str]:
    with pytest.raises(DescriptorError) as caught:
        rd_of(inner)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("attributes", "schema", "resdir"),
    [
        ('schema="s"', "s", "/rds/s"),
        ('schema="s" resdir="."', "s", "/rds/x"),
        ('schema="s" resdir="a/b/"', "s", "/rds/a/b"),
        ('schema="s" resdir="../out"', "s", "/out"),
        ('schema="s" resdir="/data/s/"', "s", "/data/s"),
        ('schema="s" resdir=""', "s", "/rds"),
        ("", None, "/rds/x"),
        ('resdir="r"', None, "/rds/r"),
        ('schema="s" resdir="__NULL__"', "s", "/rds/s"),
    ],
)
def test_the_resdir_follows_the_rules(attributes: str, schema: str | None, resdir: str) -> None:
    rd = rd_of("", attributes=attributes, thorough=True)
    assert (rd.schema, rd.resdir) == (schema, resdir)


def test_schema_and_resdir_may_be_elements() -> None:
    rd = rd_of("<table/><resdir>.</resdir><schema>s</schema>", attributes="", thorough=True)
    assert (rd.schema, rd.resdir, rd.warnings) == ("s", "/rds/x", ())


@pytest.mark.parametrize("word", ["true", "Yes", "T", "on", "ENABLED", "1"])
def test_truths(word: str) -> None:
    assert execute_of(f'title="T" at="1:00" debug="{word}"').debug is True


@pytest.mark.parametrize("word", ["false", "No", "F", "off", "DISABLED", "0"])
def test_falsehoods(word: str) -> None:
    assert execute_of(f'title="T" at="1:00" debug="{word}"').debug is False


def test_atoms_may_be_elements_in_any_order() -> None:
    execute = execute_of("", "<job><code>x</code></job><every>60</every><debug>t</debug><title> T </title><id>i</id>")
    assert (execute.title, execute.schedule, execute.debug, execute.id) == (" T ", Every(seconds=60), True, "i")


def test_blank_elements_set_nothing() -> None:
    execute = execute_of('title="T" every="60"', "<title/><at> </at><every>\n</every><job/>")
    assert (execute.title, execute.schedule) == ("T", Every(seconds=60))


def test_comments_within_an_atom_vanish() -> None:
    assert execute_of('at="1:00"', "<title>a<!-- b -->c<?d e?>f</title><job/>").title == "acf"


def test_several_at_add_up() -> None:
    schedule = execute_of('title="T" at="1:00"', "<at>2:00, 3:00</at><at>w1 4:00</at><job/>").schedule
    assert isinstance(schedule, At)
    assert schedule.items == ("1:00", "2:00", "3:00", "w1 4:00")


def test_a_negative_interval_begins_at_once() -> None:
    assert execute_of('title="T" every=" -1_0 "').schedule == Every(seconds=10, immediately=True)


@pytest.mark.parametrize(
    ("titles", "keys"),
    [
        (["A b"], ["a-b"]),
        (["A", "A", "a!"], ["a", "a-2", "a-3"]),
        (["A", "A-2", "A"], ["a", "a-2", "a-3"]),
        (["Größe (m²)", "!!!", "v1.2"], ["größe-m²", "execute", "v1.2"]),
    ],
)
def test_keys_are_made_from_titles(titles: list[str], keys: list[str]) -> None:
    rd = rd_of("".join(f'<execute title="{title}" at="1:00"><job/></execute>' for title in titles))
    assert [execute.key for execute in rd.executes] == [f"x/q#{key}" for key in keys]
    assert {warning.code for warning in rd.warnings} <= {"W202"}


def test_ids_go_before_titles_in_the_taking_of_keys() -> None:
    rd = rd_of(
        '<execute title="a" at="1:00"><job/></execute><execute id="a" title="b" at="1:00"><job/></execute>'
        '<execute id="x.y z" title="c" at="1:00"><job/></execute><execute id="" title="d" at="1:00"><job/></execute>'
    )
    assert [(execute.key, execute.id) for execute in rd.executes] == [
        ("x/q#a-2", None),
        ("x/q#a", "a"),
        ("x/q#x.y z", "x.y z"),
        ("x/q#d", None),
    ]


def test_slugs_have_no_hash_or_blank() -> None:
    assert slug_of(" A #1: b/c\n") == "a-1-b-c"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<property name="a"> b </property>', {"a": " b "}),
        ('<property key="a">b</property>', {"a": "b"}),
        ('<properties name="a">b</properties>', {"a": "b"}),
        ('<property name="a">b</property><property name="a" cumulate="True">c</property>', {"a": "bc"}),
        ('<property name="a" cumulate="True">c</property>', {"a": "c"}),
        ('<property name="a">__NULL__</property>', {"a": None}),
        ('<property name="\\rdId">\\rdId</property>', {"\\rdId": "x/q"}),
        ('<property name="a"><![CDATA[<]]>&amp;<!-- -->b</property>', {"a": "<&b"}),
    ],
)
def test_properties(inner: str, expected: Mapping[str, str | None]) -> None:
    assert execute_of('title="T" at="1:00"', f"{inner}<job/>").properties == expected


def test_properties_and_macros_of_the_rd_never_stop_a_job() -> None:
    rd = rd_of(
        '<property>x</property><property name="a" novel="1">\\nofoo</property><property name="b"/>'
        '<macDef>x</macDef><macDef name="bad">\\nofoo</macDef><macDef name="good">a\\rdId</macDef>'
        '<meta name="m">\\nofoo \\good</meta><execute title="T" at="1:00"><job/></execute>'
    )
    assert rd.properties == {"a": "\\nofoo"}
    assert rd.macros == {"good": "ax/q"}
    assert rd.meta == {"m": ("\\nofoo \\good",)}
    assert rd.warnings == ()


def test_a_macro_can_be_defined_again() -> None:
    defined = '<macDef name="mm">1</macDef>'
    rd = rd_of(
        f'{defined}<execute title="A" at="1:00"><job code="\\mm"/></execute><macDef name="mm">2\\mm</macDef>'
        '<execute title="B" at="1:00"><job code="\\mm"/></execute>'
    )
    assert [execute.job.source for execute in rd.executes] == ["1\n", "21\n"]


@pytest.mark.parametrize(
    ("macro", "expected"),
    [
        ("\\rdId", "x/q"),
        ("\\rdIdDotted", "x.q"),
        ("\\schema", "s"),
        ("\\resdir", "x"),
        ("\\today", "2026-03-14"),
        ("\\metaString{title}", "A title"),
        ("\\metaString{nope}{default}", "default"),
        ("\\metaSeq{subject}", "a, b"),
        ("\\metaSeq{subject}{}{; }", "a; b"),
        ("\\metaSeq{nope}", ""),
        ("\\metaSeq{nope}{default}", "default"),
    ],
)
def test_macros_about_the_rd(macro: str, expected: str) -> None:
    data = (
        '<resource schema="s" resdir="."><meta name="title">A\ntitle</meta><meta name="subject">a</meta>'
        f'<execute title="T" at="1:00"><property name="p">{macro} </property><job/></execute>'
        '<meta name="subject">b</meta></resource>'
    )
    rd = read("/rds/x/q.rd", inputs_dir="/rds", data=data.encode(), today=date(2026, 3, 14))
    assert rd.executes[0].properties["p"] == f"{expected} "


@pytest.mark.parametrize(
    ("attributes", "macro", "problem"),
    [
        ('resdir="."', "\\schema", "the macro \\schema has no value, for the resource has no schema"),
        (
            'schema="s" resdir="/usr"',
            "\\resdir",
            "the macro \\resdir has no value, for /usr is outside of the resource directory",
        ),
        ('schema="s" resdir="."', "\\today", "the macro \\today has no value here: no date is given"),
    ],
)
def test_macros_without_a_value(attributes: str, macro: str, problem: str) -> None:
    with pytest.raises(DescriptorError) as caught:
        rd_of(f'<execute title="T" at="1:00"><job code="{macro}"/></execute>', attributes=attributes)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("inner", "meta"),
    [
        ('<meta name="a">b</meta><meta name="a"> c\n</meta>', {"a": ("b", "c")}),
        ('<meta name="a">x<meta name="b">c</meta><meta name="b">d</meta></meta>', {"a": ("x",), "a.b": ("c", "d")}),
        ('<meta name="a.b">c</meta>', {"a.b": ("c",)}),
        ("<meta>\n a: b\n # c: d\n e.f: g: h\n a: \n nothing\n</meta>", {"a": ("b",), "e.f": ("g: h",)}),
        ("<meta>\n a: b \\\n   c\n</meta>", {"a": ("b c",)}),
        ("<meta>a: b\n!a: c</meta>", {"a": ("c",)}),
        ('<meta name="a"><meta>b: c</meta></meta>', {"a": ("",), "a.b": ("c",)}),
        ('<meta name="a">\\rdId<!-- --> x</meta>', {"a": ("x/q x",)}),
        ('<meta name="a"/><meta/>', {}),
    ],
)
def test_meta(inner: str, meta: Mapping[str, tuple[str, ...]]) -> None:
    assert rd_of(inner, thorough=True).meta == meta


@pytest.mark.parametrize(
    "inner",
    [
        "<table><nonsense a='b'>x</nonsense></table>",
        "text in between",
        '<STREAM id="s"><column name="\\a"/></STREAM><FEED source="s" a="x"/>',
        '<LOOP listItems="a b"><events><column name="\\item"/></events></LOOP>',
        '<service><property name="execute">x</property></service>',
        "<data><jobs/></data><script>execute</script>",
        "<NXSTREAM><STREAM><execute/><execute/></STREAM></NXSTREAM>",
        "<excute/><Execute/>",
    ],
)
def test_what_does_not_concern_executes_is_passed_over(inner: str) -> None:
    rd = rd_of(f'{inner}<execute title="T" at="1:00"><job/></execute>', attributes='schema="s" resdir="." new="x"')
    assert len(rd.executes) == 1
    assert rd.warnings == ()


def test_a_replay_of_a_stream_that_cannot_be_had_is_passed_over_with_a_warning() -> None:
    rd = rd_of('<FEED source="//nothing#here"/><execute title="T" at="1:00"><job/></execute>')
    assert [warning.code for warning in rd.warnings] == ["W503"]


def test_a_misspelt_execute_beside_a_good_one_is_told_of_when_thorough() -> None:
    rd = rd_of('<excute/><execute title="T" at="1:00"><job/></execute>', thorough=True)
    assert [warning.code for warning in rd.warnings] == ["W205"]


@pytest.mark.parametrize(
    ("inner", "codes"),
    [
        ('<execute title="T" at="1:00"><execute/><job/></execute>', ["E201"]),
        ('<execute title="T" at="1:00"><LOOP><events><execute/></events></LOOP></execute>', ["E521"]),
        ("<FEED><events><jobs/></events></FEED>", ["E203", "E203", "E207"]),
        ('<execute title="T" on="loaded" every="5"><job/></execute>', ["E207"]),
        ('<execute title="T"><on>loading</on><job/></execute>', ["E303"]),
        ('<execute title="T" at="1:00" every="x"><job/><job code="(" /></execute>', ["E207", "E302", "W201", "E401"]),
        ('<execute rd="x" title="T" at="1:00"><job/></execute>', ["E202"]),
    ],
)
def test_faults(inner: str, codes: list[str]) -> None:
    assert sorted(codes_of(inner)) == sorted(codes)


def test_diagnostics_come_in_document_order_with_warnings_among_them() -> None:
    with pytest.raises(DescriptorError) as caught:
        rd_of(
            '<execute title="A" at="9:99"><job><code>(</code></job></execute>\n'
            '<execute title="A" at="1:00" x="y"><job/></execute>',
            attributes="",
        )
    diagnostics: tuple[Diagnostic, ...] = caught.value.diagnostics
    assert [diagnostic.code for diagnostic in diagnostics] == ["W203", "E301", "E401", "W202", "E202"]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{}", 1, 34),
        ("\n\n  {}", 3, 4),
        ("<!-- <execute> -->{}", 1, 52),
        ("<table\n/>{}", 2, 4),
        ("\n<!--\n<execute\n-->\n {}", 5, 3),
        ("<![CDATA[\n<execute>]]>{}", 2, 14),
    ],
)
@pytest.mark.parametrize("tag", ['<execute title="T" at="1:00">', "<execute\n title='T&gt;'\n at='1:00'\n>"])
def test_an_execute_stands_where_it_is(text: str, line: int, column: int, tag: str) -> None:
    execute = rd_of(text.format(f"{tag}<job/></execute>")).executes[0]
    assert (execute.position.line, execute.position.column) == (line, column)


def test_files_that_cannot_hold_executes_are_not_parsed_unless_thorough() -> None:
    data = b'<resource schema="s"><table></resource>'
    assert read("/rds/x/q.rd", inputs_dir="/rds", data=data).executes == ()
    with pytest.raises(DescriptorError):
        read("/rds/x/q.rd", inputs_dir="/rds", data=data, thorough=True)


@pytest.mark.parametrize(
    ("inner", "is_parsed"),
    [
        ('<table><FEED source="//scs#x"/></table>', False),
        ('<STREAM id="s"/><table><FEED source="s"/></table>', False),
        ('<LOOP listItems="a b"><events><x/></events></LOOP>', False),
        ('<FEED source="lib#s"/>', True),
        ("<FEED source = 'lib/q.rd#s'/>", True),
        ('<FEED source="lib&#35;s"/>', True),
        ("<LOOP><source>lib#s</source><listItems>a</listItems></LOOP>", True),
        ('<FEED\n  x="1"\n  source="%#s"/>', True),
    ],
)
def test_files_that_replay_nothing_of_others_are_not_parsed_either(inner: str, is_parsed: bool) -> None:
    data = f'<resource schema="s"><oops>{inner}</resource>'.encode()
    if is_parsed:
        with pytest.raises(DescriptorError):
            read("/rds/x/q.rd", inputs_dir="/rds", data=data)
    else:
        assert read("/rds/x/q.rd", inputs_dir="/rds", data=data).executes == ()


def test_files_that_replay_something_of_the_systems_are_parsed_where_that_may_be_the_operators(tmp_path: Path) -> None:
    data = b'<resource schema="s"><oops><FEED source="//x#s"/></resource>'
    assert read(f"{tmp_path}/x/q.rd", inputs_dir=str(tmp_path), data=data).executes == ()
    (tmp_path / "__system__").mkdir()
    with pytest.raises(DescriptorError):
        read(f"{tmp_path}/x/q.rd", inputs_dir=str(tmp_path), data=data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<resource>",
        b'<resource schema="s"><table/>',
        b"<html></html>",
        b"<a><resource></resource></a>",
        b"<!-- <resource> --></resource>",
        b'<!DOCTYPE resource SYSTEM "x"><resource></resource>',
        b'<?xml version="1.0" encoding="nope"?><resource></resource>',
    ],
)
def test_files_cut_off_are_never_taken_for_rds_without_executes(data: bytes) -> None:
    with pytest.raises(DescriptorError):
        read("/rds/x/q.rd", inputs_dir="/rds", data=data)


def test_executes_in_utf_16_are_seen() -> None:
    data = '<resource schema="s" resdir="."><execute title="T" at="1:00"><job/></execute></resource>'.encode("utf-16")
    assert len(read("/rds/x/q.rd", inputs_dir="/rds", data=data).executes) == 1


def test_the_digest_is_that_of_the_bytes() -> None:
    rd = rd_of('<execute title="T" at="1:00"><job/></execute>', attributes='schema="s"')
    assert len(rd.digest) == 64
    assert rd.digest != rd_of("", attributes='schema="s"').digest


def test_nothing_of_a_tree_waits_for_the_collector(tmp_path: Path) -> None:
    lib = tmp_path / "lib.rd"
    lib.write_text(
        '<resource schema="l"><STREAM id="s"><execute title="F" every="60"><job/></execute></STREAM></resource>'
    )
    data = b'<resource schema="s" resdir="."><FEED source="lib#s"/><execute titel="T"/></resource>'
    trees = weakref.WeakSet[Source]()
    gc.disable()
    try:
        with pytest.raises(DescriptorError):
            build_rd(remembered(trees, Source(f"{tmp_path}/q.rd", data)), Context(inputs_dir=str(tmp_path)))
        assert not list(trees)
    finally:
        gc.enable()


def remembered(trees: "weakref.WeakSet[Source]", source: Source) -> Source:
    trees.add(source)
    return source
