"""The papers of the house: derived documents agree with their sources, and links lead somewhere."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gavo_exec.errors import CODES

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def derive() -> ModuleType:
    spec = importlib.util.spec_from_file_location("derive", ROOT / "docs" / "derive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# What is derived


def test_derived_documents_are_what_their_sources_make_of_them(derive: ModuleType) -> None:
    assert derive.stale() == []


def test_a_document_that_was_edited_or_is_gone_is_noticed_and_mended(derive: ModuleType, tmp_path: Path) -> None:
    names = [name for name, _ in derive.PRODUCERS]
    assert derive.stale(tmp_path) == names
    assert derive.write(tmp_path) == names
    assert derive.stale(tmp_path) == []
    edited = tmp_path / names[0]
    edited.write_text(edited.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    assert derive.stale(tmp_path) == [names[0]]
    assert derive.write(tmp_path) == [names[0]]
    assert derive.write(tmp_path) == []


def test_the_command_refuses_what_it_does_not_know(derive: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert derive.main(["--chekc"]) == 2
    assert capsys.readouterr().err == "usage: derive.py [--check]\n"


def test_every_code_is_on_the_page_of_codes(derive: ModuleType) -> None:
    page = derive.diagnostics()
    assert re.findall(r"^\| (\w\d{3}) \| (.*) \|$", page, flags=re.MULTILINE) == sorted(
        CODES.items(), key=lambda item: (item[0][1], item[0])
    )


# Where links lead


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def broken_links(page: Path) -> Iterator[str]:
    """Links of a page to files that are not there, or to headings that are not in them."""
    text = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    inline = re.findall(r"\]\(<?([^()\s>]+(?:\([^()]*\))?)", text)
    named = re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, flags=re.MULTILINE)
    for link in [*inline, *named]:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (heading and heading not in headings(target)):
            yield link


def headings(page: Path) -> set[str]:
    """The names that headings can be reached by."""
    titles = re.findall(r"^#+\s+(.*?)\s*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_what_is_there(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_links_that_lead_nowhere_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# One `two` heading\n", encoding="utf-8")
    page.write_text(
        "# Here\n[a](other.md) [b](gone.md) [c](other.md#one-two-heading) [d](other.md#none) [e](#here) [f](#there)\n"
        "[g](https://example.org/x) `[h](code.md)`\n\n```\n[i](block.md)\n```\n[j]: nowhere.md\n![k](plot.png)\n",
        encoding="utf-8",
    )
    assert sorted(broken_links(page)) == ["#there", "gone.md", "nowhere.md", "other.md#none", "plot.png"]


def test_no_page_of_the_documents_is_empty() -> None:
    assert not [page for page in pages() if not page.read_text(encoding="utf-8").startswith("# ")]
