"""The papers of the house: derived documents agree with their sources, and what pages name is there."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from gavo_exec.cli.app import group
from gavo_exec.errors import CODES
from gavo_exec.json_views import PolicyView
from gavo_exec.services.mail.payload import IncidentView
from gavo_exec.settings import SETTINGS

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


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^(```|~~~).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """The links of a page to other files of ours, or to headings."""
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    inline = re.findall(r"\]\(<?([^()\s>]+(?:\([^()]*\))?)", text)
    named = re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, flags=re.MULTILINE)
    return [link for link in [*inline, *named] if not re.match(r"[a-z]+:", link)]


def broken_links(page: Path) -> Iterator[str]:
    """Links of a page to files that are not there, or to headings that are not in them."""
    for link in links(page):
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


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    waiting = [*reached]
    while waiting:
        page = waiting.pop()
        found = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if link[0] != "#"}
        waiting += [each for each in found - reached if each.suffix == ".md"]
        reached |= found
    assert not [page for page in pages() if page not in reached]


# What pages name


def named_codes(text: str) -> set[str]:
    """The codes of diagnostics in a text."""
    return set(re.findall(r"\b[EWN]\d{3}\b", text))


def commands(parent: click.Group = group, path: str = "gavo-exec") -> dict[str, click.Command]:
    """All commands by the words that call them."""
    found: dict[str, click.Command] = {}
    context = click.Context(parent)
    for name in parent.list_commands(context):
        command = parent.get_command(context, name)
        assert command is not None
        found[f"{path} {name}"] = command
        if isinstance(command, click.Group):
            found |= commands(command, f"{path} {name}")
    return found


COMMANDS = commands()
OPTIONS = {
    "--help",
    "--version",
    *(
        flag
        for command in COMMANDS.values()
        for parameter in command.params
        for flag in (*parameter.opts, *parameter.secondary_opts)
    ),
}
SETTING_NAMES = {setting.name for setting in SETTINGS}
FIELD_NAMES = {*IncidentView.__struct_fields__, *PolicyView.__struct_fields__}


def strange_words(text: str) -> list[str]:
    """Commands, options and settings in backquotes that we do not have."""
    quoted = re.findall(r"`([^`\n]+)`", text)
    called = [words for each in quoted if (words := each.split())[0] == "gavo-exec" and len(words) > 1]
    strange = [
        " ".join(words)
        for words in called
        if words[1][0] != "-" and (" ".join(words[:2]) not in COMMANDS or wrong_below(words))
    ]
    flags = {word for each in quoted for word in each.split() if re.fullmatch(r"--[a-z][a-z-]*", word)}
    settings = {
        each for each in quoted if re.fullmatch(r"(?:smtp|mail|inputs|state|stop|output|rescan|log)_[a-z_]+", each)
    }
    return [*strange, *sorted(flags - OPTIONS), *sorted(settings - SETTING_NAMES - FIELD_NAMES)]


def wrong_below(words: list[str]) -> bool:
    """Whether the command is a group and has no such command."""
    is_group = isinstance(COMMANDS[" ".join(words[:2])], click.Group)
    return is_group and len(words) > 2 and " ".join(words[:3]) not in COMMANDS


def strange_paths(text: str) -> list[str]:
    """Files and folders of ours, in backquotes, that are not there: from the top, or from the package."""
    ours = {path.name for path in (*ROOT.iterdir(), *(ROOT / "gavo_exec").iterdir()) if path.is_dir()}
    found = re.findall(r"`((?:[\w.-]+/)+(?:[\w-]+\.(?:py|md|rd|toml|sql|rng))?)`", text)
    return [
        path
        for path in found
        if path.partition("/")[0] in ours and not (ROOT / path).exists() and not (ROOT / "gavo_exec" / path).exists()
    ]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert named_codes(text) <= set(CODES)
    assert strange_words(prose(page)) == []
    assert strange_paths(prose(page)) == []


def test_what_is_not_there_is_noticed() -> None:
    assert named_codes("see E999, W201 and E1234") == {"E999", "W201"}
    text = (
        "`gavo-exec trgger x`, `gavo-exec mail sned`, `--wrokers 3`, `smtp_prot`, `gavo-exec list`, `--json`, `mail_to`"
    )
    assert strange_words(text) == ["gavo-exec trgger x", "gavo-exec mail sned", "--wrokers", "smtp_prot"]
    text = "`runtime/agenda.py`, `runtime/diary.py`, `docs/`, `docs/sagas/`, `bin/fetch.py`, `gavo_exec/errors.py`"
    assert strange_paths(text) == ["runtime/diary.py", "docs/sagas/"]


# Decisions


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_decisions_are_counted_and_each_is_in_their_list_under_its_title() -> None:
    titles = [page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in DECISIONS]
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    expected = [
        f"{title.partition('. ')[0]}. [{title.partition('. ')[2]}]({page.name})"
        for title, page in zip(titles, DECISIONS, strict=True)
    ]
    assert re.findall(r"^\d+\. .*$", listed, flags=re.MULTILINE) == expected
    assert [int(page.name[:4]) for page in DECISIONS] == [int(title.partition(".")[0]) for title in titles]
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_what_follows_and_what_would_change_it(page: Path) -> None:
    sections = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sections == ["Context", "Decision", "Consequences", "What would change it"]
