"""Laws of the reader: no bytes bring it down, and what it says has a place."""

import contextlib
import time
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gavo_exec.descriptor import read
from gavo_exec.descriptor.places import Lines
from gavo_exec.errors import CODES, DescriptorError, Diagnostic
from gavo_exec.macros import STANDARD, Macro, expand

DATA = Path(__file__).parents[1] / "data"
DOCUMENTS = [path.read_bytes() for path in sorted(DATA.glob("*/*.rd")) + sorted(DATA.glob("good/*/*.rd"))]
SNIPPETS = st.sampled_from(
    [
        b"<execute ",
        b"</execute>",
        b"<job>",
        b"<code>",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"-->",
        b"&amp;",
        b"&#10;",
        b"&x;",
        b'at="1:00"',
        b'every="60"',
        b'title="T"',
        b"\\",
        b"\\rdId",
        b"{",
        b"}",
        b"\n",
        b"\r",
        b"\t",
        b"\0",
        b"\xff",
        b"\xc3\xa9",
        b"<!DOCTYPE resource [<!ENTITY x '<execute/>'>]>",
        b"<?xml version='1.1' encoding='utf-16'?>",
        b"yield",
        b"'''",
        b":",
    ]
)
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t"))


def diagnostics_of(data: bytes) -> tuple[Diagnostic, ...]:
    """What there is to say; anything but a DescriptorError goes through."""
    try:
        return read("/rds/x/q.rd", inputs_dir="/rds", data=data, thorough=True).warnings
    except DescriptorError as error:
        if not error.diagnostics:
            raise AssertionError("refused without a word") from error
        return error.diagnostics


def assert_sound(data: bytes) -> None:
    found = diagnostics_of(data)
    for diagnostic in found:
        assert diagnostic.code in CODES
        assert diagnostic.position.line >= 1
        assert diagnostic.position.column >= 1
        assert "\n" not in str(diagnostic)
        assert diagnostic.render()
        assert diagnostic.position.column + diagnostic.length <= len(diagnostic.excerpt) + 1
    outermost = [(diagnostic.position, *diagnostic.position.via)[-1] for diagnostic in found]
    places = [(position.line, position.column) for position in outermost if position.path == "/rds/x/q.rd"]
    assert places == sorted(places)


@given(st.binary(max_size=300))
@example(b"\xff\xfe")
@example(b"\xff\xfe\0\0")
@example(b"<\0")
def test_any_bytes_are_an_rd_or_a_descriptor_error(data: bytes) -> None:
    assert_sound(data)


def test_a_file_that_cannot_be_recovered_as_it_stands_is_refused() -> None:
    data = (
        b'<?xml version="2.0"?>\n<!DOCTYPE resource [<!ENTITY two "<property name=\'a\'>1</property>'
        b"<property name='b'>2</property>\">]>\n"
        b'<d:resource schema="s"><execute title="T" every="60">&two;x<job/></execute></d:resource>'
    )
    assert [found.code for found in diagnostics_of(data)] == ["E102"]


@pytest.mark.parametrize("name", ["x:2", "x:", "x:y:2", ":a"])
def test_what_is_no_name_after_a_prefix_is_passed_over(name: str) -> None:
    execute = '<execute title="T" every="60"><job/></execute>'
    assert diagnostics_of(f'<resource schema="s" resdir="."><x:y/><{name}/>{execute}</resource>'.encode()) == ()


@given(st.sampled_from(DOCUMENTS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 20), SNIPPETS), max_size=5))
def test_any_mutated_rd_is_an_rd_or_a_descriptor_error(data: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    for where, removed, put in edits:
        at = int(where * len(data))
        data = data[:at] + put + data[at + removed :]
    assert_sound(data)


TAGS = st.sampled_from(
    [
        *("execute", "execute", "jobs", "job", "job", "setup", "par", "bind", "procDef", "property", "macDef", "meta"),
        *("STREAM", "NXSTREAM", "FEED", "FEED", "LFEED", "LOOP", "LOOP", "events", "events", "DEFAULTS", "EDIT"),
        *("PRUNE", "code", "at", "title", "table", "listItems", "csvItems", "codeItems", "source", "imports"),
        *("original", "id"),
    ]
)
ATTRIBUTES = st.sampled_from(
    [
        *("id", "id", "title", "at", "every", "on", "debug", "name", "key", "source", "source", "reexpand"),
        *("passivate", "listItems", "csvItems", "codeItems", "original", "procDef", "late", "alias", "imports"),
        *("code", "ref", "bb"),
    ]
)
IDS = st.sampled_from(["aa", "bb", "cc", "x/q#aa", "other#aa", "//procs#aa", "%#aa", "aa.bb", "#", "", "x#y#z"])
TEXTS = (
    IDS
    | st.sampled_from(
        ["1:00", "60", "-60", "loaded", "True", "__NULL__", "__EMPTY__", "x y z", "aa,bb\n1,2\n3", "pass", "rd.x", "("]
    )
    | st.sampled_from(
        ["\\item", "\\\\item", "\\aa", "\\bb{x}", "\\nfoo", "a \\+ b", "\\rdId", "execute[aa]", "[", "a.*"]
    )
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 4) -> str:
    """An element with anything in it."""
    tag = draw(TAGS)
    attributes = draw(st.dictionaries(ATTRIBUTES, TEXTS, max_size=3))
    inner = escape(draw(TEXTS | st.just("")))
    if depth:
        inner += "".join(draw(st.lists(elements(depth=depth - 1), max_size=3)))
    return f"<{tag}{''.join(f' {name}={quoteattr(value)}' for name, value in attributes.items())}>{inner}</{tag}>"


def document(inner: str) -> bytes:
    return f'<resource schema="s" resdir=".">\n{inner}\n</resource>'.encode()


@given(st.lists(elements(), max_size=6).map("\n".join))
@settings(max_examples=300)
def test_whatever_stands_where_is_an_rd_or_a_descriptor_error(inner: str) -> None:
    begun = time.process_time()
    assert_sound(document(inner))
    assert time.process_time() - begun < 1


@given(XML_TEXT, XML_TEXT)
def test_any_code_and_title_in_a_good_rd_are_taken_or_told(code: str, title: str) -> None:
    code, title = (text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;") for text in (code, title))
    assert_sound(
        f'<resource schema="s" resdir="."><execute title="{title}" every="60"><job><code>{code}</code></job></execute>'
        "</resource>".encode()
    )


@given(st.lists(st.sampled_from(["x = 1", "if x:", "    y = 2", "# c", "", "z = '''a", "b'''", "(", ")"]), max_size=8))
def test_each_line_of_a_job_stands_where_it_says(lines: list[str]) -> None:
    data = (
        '<resource schema="s" resdir="."><execute title="T" every="60"><job><code>\n'
        + "".join(f"    {line}\n" for line in lines)
        + "</code></job></execute></resource>"
    )
    with contextlib.suppress(DescriptorError):
        job = read("/rds/x/q.rd", inputs_dir="/rds", data=data.encode()).executes[0].job
        file_lines = data.split("\n")
        for number, text in enumerate(job.source.splitlines()):
            line = job.lines[number] if job.lines else job.first_line + number
            assert file_lines[line - 1].strip() == text.strip()


@given(st.text(st.sampled_from("ab{}\\+ \n") | st.characters(codec="utf-8"), max_size=60))
def test_doubled_backslashes_come_through_any_expansion(text: str) -> None:
    assert expand(text.replace("\\", "\\\\"), STANDARD).text == text


@given(
    st.lists(st.sampled_from(["\\", "{", "}", "+", " ", "\n", "upper", "mm", "nofoo", "x"]), max_size=40).map("".join)
)
def test_origins_are_in_order_and_in_the_text(text: str) -> None:
    expansion = expand(text, {**STANDARD, "mm": Macro(function=lambda: "a\nb")})
    origins = [expansion.origin(offset) for offset in range(len(expansion.text))]
    assert origins == sorted(origins)
    assert all(0 <= origin < len(text) for origin in origins)
    assert all(0 <= fault.start < fault.end <= len(text) for fault in expansion.faults)


@given(st.text(st.sampled_from("ab\n\r<"), max_size=600).map(lambda text: text * 2))
def test_a_line_found_from_the_end_is_that_found_from_the_beginning(text: str) -> None:
    rows = Lines("/x.rd", text).all
    assert [Lines("/x.rd", text).line(row) for row in range(len(rows))] == rows
