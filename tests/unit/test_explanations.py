"""The pages about codes: each code has one, and its example leads to it, and its mend does not."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from gavo_exec.descriptor import read
from gavo_exec.errors import CODES, DescriptorError, Diagnostic, Severity
from gavo_exec.explanations import EXPLANATIONS
from gavo_exec.lint import lint

NAMES = frozenset({"base", "utils", "os", "re", "sys", "time", "urllib"})


def diagnostics(example: str, folder: Path) -> Sequence[Diagnostic]:
    """What is said about an example, with files beside it."""
    if not example.startswith("<"):
        code = f"<![CDATA[\n{example}\n]]>"
        example = f'<execute title="T" at="1:00"><job><code>{code}</code></job></execute>'
    if not re.match(r"<(\?xml|!DOCTYPE|resource|service)", example):
        example = f'<resource schema="x" resdir=".">\n{example}\n</resource>'
    path = str(folder / "x" / "q.rd")
    try:
        rd = read(path, inputs_dir=str(folder), data=example.encode(), today=date(2026, 1, 1), thorough=True)
    except DescriptorError as error:
        return error.diagnostics
    return (*rd.warnings, *lint(rd, names=NAMES, has_dachs=False))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("fetch.sh", "fetch.py", "tools.py"):
        path = tmp_path / "x" / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
    return tmp_path


def test_every_code_has_a_page_and_no_other() -> None:
    assert EXPLANATIONS.keys() == CODES.keys()


# Notes are about what DaCHS would do: neither the reader nor the linter tells them.
EXAMPLES = [(code, page) for code, page in EXPLANATIONS.items() if code[0] != "N" and not page.wrong.startswith("$")]


@pytest.mark.parametrize(("code", "page"), EXAMPLES, ids=[code for code, _ in EXAMPLES])
def test_the_example_is_wrong_and_its_mend_is_not(code: str, page: tuple[str, str, str], folder: Path) -> None:
    _, wrong, mend = page
    assert code in {found.code for found in diagnostics(wrong, folder)}
    after = diagnostics(mend, folder)
    assert code not in {found.code for found in after}
    assert not [str(found) for found in after if found.severity is Severity.ERROR]


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_a_page_is_plain_text_that_ends_as_a_sentence(code: str) -> None:
    page = EXPLANATIONS[code]
    assert page.why.endswith(".")
    assert "\n" not in page.why
    assert page.wrong != page.mend
    assert page.wrong
    assert page.mend
