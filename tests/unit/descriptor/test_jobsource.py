"""Job code: indentation, macros, lines."""

import pytest

from gavo_exec.descriptor import read
from gavo_exec.errors import DescriptorError, Diagnostic
from gavo_exec.model import Job


def job_of(code: str, *, before: str = "", attribute: bool = False) -> Job:
    """The job of an RD with this code, which begins in line 3."""
    job = f'<job code="{code}"/>' if attribute else f"<job><code>{code}</code></job>"
    data = f'{before}<resource schema="s" resdir=".">\n<execute title="T" at="1:00">\n{job}</execute></resource>'
    return read("/rds/x/q.rd", inputs_dir="/rds", data=data.encode()).executes[0].job


def fault_of(code: str) -> Diagnostic:
    with pytest.raises(DescriptorError) as caught:
        job_of(code)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ("", ""),
        ("  \n  ", ""),
        ("x = 1", "x = 1\n"),
        ("   x = 1  ", "x = 1\n"),
        ("\n    x = 1\n    y = 2\n  ", "x = 1\ny = 2\n"),
        ("\n\tx = 1\n\ty = 2\n", "x = 1\ny = 2\n"),
        ("x = 1\n    y = 2", "x = 1\ny = 2\n"),
        ("\n  if x:\n      y\n  z", "if x:\n    y\nz\n"),
        ("\n  x\n\n      \n  y", "x\n\n\ny\n"),
        # where DaCHS gives up
        ("if x:\n      y()\n      z()", "if x:\n      y()\n      z()\n"),
        ("if x:\n      y()\n   z()", "if x:\n   y()\nz()\n"),
        ("\n    x = 1\n# margin\n    y = 2", "x = 1\n# margin\ny = 2\n"),
        ("\n    x = 1\n  # less\n    y = 2", "x = 1\n# less\ny = 2\n"),
        ('\n    x = """a\nb\n  c"""\n    y = 2', 'x = """a\nb\n  c"""\ny = 2\n'),
        ("\n    x = (1,\n2)\n    y = 2", "x = (1,\n2)\ny = 2\n"),
        ("\n    # only\n  # comments\n", ""),
        ("# only comments", ""),
        # what compiles is no business of the reader's
        ("return", "return\n"),
        (
            "\n  async def f():\n    await g()\n  def h():\n    yield 1\n",
            "async def f():\n  await g()\ndef h():\n  yield 1\n",
        ),
        ("\n  for x in y:\n    if x: break\n    else: continue", "for x in y:\n  if x: break\n  else: continue\n"),
        ('x = "\\d"', 'x = "\\d"\n'),
        ("<![CDATA[if 1 < 2 and 3: x]]>", "if 1 < 2 and 3: x\n"),
        ("x = 1<!-- a --> + 2", "x = 1 + 2\n"),
        ("x = 1 <?pi a?>+ 2", "x = 1 + 2\n"),
        ('x = "a\\\\nb"', 'x = "a\\nb"\n'),
        ("x = 1 + \\\n  2", "x = 1 +  2\n"),
        ('x = "\\rdIdDotted"', 'x = "x.q"\n'),
    ],
)
def test_code_is_dedented_and_expanded(code: str, source: str) -> None:
    assert job_of(code).source == source


@pytest.mark.parametrize(
    ("code", "first_line", "lines"),
    [
        ("x", 3, ()),
        ("\n\n  x\n  y\n", 5, ()),
        ("<![CDATA[\n  x\n  y]]>", 4, ()),
        ("\n  x<!--\n\n-->\n  y\n  z", 4, (4, 7, 8)),
        ("<!--\n--> x\n  y", 4, ()),
        ("\n  x = 1 + \\\n    2\n  y", 4, (4, 6)),
        ("\n  x<?a\n?>\n  y", 4, (4, 6)),
        ("x&#10;y\nz", 3, (3, 3, 4)),
        ('\n  x = """\\two"""\n  y', 4, (4, 4, 5)),
        ("\n  \\upper{a\n}\n  y", 4, ()),
        ("\n  x = '\\test{a\n}'\n  y", 4, (4, 6)),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_file(code: str, first_line: int, lines: tuple[int, ...], ends: str) -> None:
    data = (
        '<resource schema="s" resdir="."><macDef name="two">a\nb</macDef><execute title="T" at="1:00">\n'
        f"<job><code>{code}</code></job></execute></resource>"
    )
    rd = read("/rds/x/q.rd", inputs_dir="/rds", data=data.replace("\n", ends).encode())
    job = rd.executes[0].job
    assert (job.first_line, job.lines) == (first_line, lines)


def test_lines_are_right_after_an_entity() -> None:
    before = '<!DOCTYPE resource [\n<!ENTITY e "a\nb\nc">\n]>\n'
    job = job_of("\n  x = '''&e;'''\n  y", before=before)
    assert (job.first_line, job.lines) == (9, (9, 9, 9, 10))


def test_lines_past_the_65535th_are_right() -> None:
    assert job_of("\n  x\n  y", before="\n" * 70_000).first_line == 70_004


def test_code_in_an_attribute_has_the_lines_of_its_value() -> None:
    job = job_of("x&#10;y\n&#10;z", attribute=True)
    assert (job.source, job.first_line, job.lines) == ("x\ny \nz\n", 3, (3, 3, 4))


@pytest.mark.parametrize(
    ("code", "line", "column", "excerpt"),
    [
        ("\n  é = 'ä' b", 4, 11, "  é = 'ä' b"),
        ("\n  x = '&lt;&amp;' b", 4, 19, "  x = '&lt;&amp;' b"),
        ("\n  x<!-- \n --> = = 1", 5, 8, " --> = = 1</code></job></execute></resource>"),
        ("\n  x = '\\rdId' b", 4, 15, "  x = '\\rdId' b"),
        ("\n  x\\\n  = = b", 5, 5, "  = = b"),
    ],
)
def test_a_fault_in_code_is_where_it_is(code: str, line: int, column: int, excerpt: str) -> None:
    fault = fault_of(code)
    assert (fault.code, fault.position.line, fault.position.column) == ("E401", line, column)
    assert fault.excerpt.startswith(excerpt)


def test_lines_that_python_speaks_of_are_those_of_the_file() -> None:
    assert fault_of("\n  x = 'a").message == "not valid Python: unterminated string literal (detected in line 4)"


@pytest.mark.parametrize("code", ["(" * 300, "-" * 200_000 + "1", "x = '\ud7ff", "0777", "a\\b"])
def test_odd_code_is_a_fault(code: str) -> None:
    assert fault_of(code).code == "E401"


@pytest.mark.parametrize("code", ["[(yield)]", "x = yield from y", "lambda: 1; yield", "if x:\n  while y: yield 1"])
def test_a_generator_is_a_fault(code: str) -> None:
    assert fault_of(code).code == "E402"
