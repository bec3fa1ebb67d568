"""Files as large as they may be, full of what might take long."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import thread_time

import pytest

from gavo_exec.descriptor import read
from gavo_exec.errors import DescriptorError
from gavo_exec.macros import STANDARD, Macro, expand
from gavo_exec.model import ResourceDescriptor

MACROS = {**STANDARD, "join": Macro(function=lambda *parts: "-".join(parts), most=None)}


@contextmanager
def little_work(seconds: float = 10.0) -> Iterator[None]:
    """Fail where more of the processor's time is taken; what else the machine does meanwhile makes no difference."""
    began_at = thread_time()
    yield
    assert thread_time() - began_at < seconds


def read_bytes(data: bytes) -> ResourceDescriptor:
    return read("/rds/x/q.rd", inputs_dir="/rds", data=data)


@pytest.mark.parametrize(
    "data",
    [
        "<resource>" + "<execute/>" * 100_000 + "</resource>",
        "<resource>" + "<execute title='T' at='1:00'><job/></execute>" * 2_000 + "</resource>",
        "<resource><execute>" + "<title>T</title>" * 50_000 + "</execute></resource>",
        "<resource><execute at='" + "1:00," * 100_000 + "x'/></resource>",
        "<resource><execute><job><code>" + r"\nofoo{" * 50_000 + "</code></job></execute></resource>",
        "<resource><execute><job><code>" + "(" * 1_000_000 + "</code></job></execute></resource>",
        "<resource><execute><job code='" + "&#10;" * 50_000 + "x x'/></execute></resource>",
        "<resource>" + "".join(f"<exe{i:05}/>" for i in range(50_000)) + "<execute/></resource>",
        "<resource><execute><job><code>x" + "<!-- -->\n" * 40_000 + " y</code></job></execute></resource>",
    ],
    ids=lambda value: value[10:50],
)
def test_large_files_full_of_faults_take_no_time(data: str) -> None:
    with little_work(), pytest.raises(DescriptorError):
        read_bytes(data.replace("<resource>", '<resource schema="0">', 1).encode())


@pytest.mark.parametrize(
    ("attributes", "executes"),
    [(" ".join(f'a{number}="1"' for number in range(150_000)), 1), ("", 40_000)],
    ids=["attributes", "executes"],
)
def test_large_files_without_line_ends_take_no_time(attributes: str, executes: int) -> None:
    execute = "<execute title='T' at='1:00'><job><code>x=1</code></job></execute>"
    data = f"<resource schema='x' {attributes}>{execute * executes}</resource>"
    with little_work():
        assert len(read_bytes(data.encode()).executes) == executes


def test_a_line_that_nobody_would_read_is_not_kept_with_each_of_its_faults() -> None:
    """A thousand copies of it, stored with the rejection, would be gigabytes."""
    with pytest.raises(DescriptorError) as caught:
        read_bytes(("<resource schema='x'>" + "<execute/>" * 300_000 + "</resource>").encode())
    diagnostics = caught.value.diagnostics
    assert len(diagnostics) == 1000
    assert sum(len(diagnostic.render()) for diagnostic in diagnostics) < 1_000_000
    assert not any(diagnostic.excerpt for diagnostic in diagnostics)


@pytest.mark.parametrize("part", [r"\upper{", r"\upper{}", r"\nofoo", "\\", r"\+", "}", r"\join{a\+", "\\upper{}{"])
def test_long_texts_take_no_time(part: str) -> None:
    with little_work(5):
        expand(part * 100_000, MACROS)
