"""Laws of procedures and active tags: what loops make, what feeds fill in, what parameters come to."""

import keyword
import time
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gavo_exec.descriptor import read
from gavo_exec.errors import DescriptorError
from gavo_exec.model import ResourceDescriptor


def document(inner: str) -> bytes:
    return f'<resource schema="s" resdir=".">\n{inner}\n</resource>'.encode()


EXECUTE = '<execute title="T {}" every="60"><job><code>x = "{}"</code></job></execute>'


def nested(kinds: list[str]) -> Iterator[str]:
    """Streams of which each replays the one before twice."""
    yield f'<STREAM id="s0">{EXECUTE.format("x", "x")}</STREAM>'
    for number, kind in enumerate(kinds):
        feed = f'<FEED source="s{number}"/>'
        yield f'<{kind} id="s{number + 1}">{feed}{feed}</{kind}>'
    yield f'<FEED source="s{len(kinds)}"/>'


@given(st.lists(st.sampled_from(["STREAM", "NXSTREAM"]), max_size=40))
@settings(max_examples=25)
def test_streams_that_multiply_come_to_an_end(kinds: list[str]) -> None:
    data = document("".join(nested(kinds)))
    begun = time.process_time()
    if len(kinds) > 12:
        event("too much")
        with pytest.raises(DescriptorError) as caught:
            read("/rds/x/q.rd", inputs_dir="/rds", data=data)
        assert {found.code for found in caught.value.diagnostics} == {"E525"}
    elif len(kinds) < 8:
        event("enough")
        assert len(read("/rds/x/q.rd", inputs_dir="/rds", data=data).executes) == 2 ** len(kinds)
    assert time.process_time() - begun < 10


NAMES = st.text("abcdefgh_", min_size=2, max_size=6).filter(lambda name: not keyword.iskeyword(name))
VALUES = st.text(
    st.characters(codec="utf-8", categories=["L", "N"]) | st.sampled_from(" -./{}"), min_size=1, max_size=12
)


def read_one(inner: str) -> ResourceDescriptor:
    return read("/rds/x/q.rd", inputs_dir="/rds", data=document(inner))


@given(st.lists(VALUES.filter(lambda text: len(text.split()) == 1), min_size=1, max_size=8, unique=True))
def test_a_loop_makes_one_execute_of_each_item(items: list[str]) -> None:
    loop = f"<LOOP listItems={quoteattr(' '.join(items))}><events>"
    rd = read_one(loop + EXECUTE.format("\\item", "\\\\\\\\item") + "</events></LOOP>")
    assert [execute.title for execute in rd.executes] == [f"T {item.strip()}" for item in items]
    assert {execute.job.source for execute in rd.executes} == {'x = "\\item"\n'}


@given(NAMES, VALUES)
def test_a_feed_fills_in_its_macros_and_nothing_else(name: str, value: str) -> None:
    macro = f"\\{name}"
    stream = f'<STREAM id="s">{EXECUTE.format(macro, macro)}</STREAM>'
    rd = read_one(f'{stream}<FEED source="s" {name}={quoteattr(value)}/>')
    assert rd.executes[0].title == f"T {value}"
    assert rd.executes[0].job.source == f'x = "{value}"\n'


@given(
    st.lists(
        st.tuples(NAMES, st.integers(), st.booleans(), st.none() | st.integers()), max_size=6, unique_by=lambda p: p[0]
    )
)
def test_every_parameter_has_its_binding_or_its_default(parameters: list[tuple[str, int, bool, int | None]]) -> None:
    pars = "".join(f'<par key="{name}" late="{late}">{default}</par>' for name, default, late, _ in parameters)
    binds = "".join(f'<bind key="{name}">{bound}</bind>' for name, _, _, bound in parameters if bound is not None)
    rd = read_one(
        f'<procDef id="p"><setup>{pars}</setup></procDef>'
        f'<execute title="T" every="60"><job procDef="p">{binds}<code>pass</code></job></execute>'
    )
    job = rd.executes[0].job
    expected = {
        late: [
            f"{name} = {default if bound is None else bound}"
            for name, default, is_late, bound in parameters
            if is_late is late
        ]
        for late in (False, True)
    }
    assert job.setup_source.splitlines() == expected[False]
    assert job.source.splitlines() == [*expected[True], "pass"]
