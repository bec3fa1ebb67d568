"""How things are shown."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.cli.output import clean, clean_block, clip, instant, left, length, show_fields, show_json, show_table
from gavo_exec.model import Outcome

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOST = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcreset", "reset"),
        ("cut \x1b", f"cut {LOST}"),
        ("bell\x07", f"bell{LOST}"),
        ("\x9b31m", f"{LOST}31m"),
        ("back\x08\x08", f"back{LOST}{LOST}"),
        ("abc\u202edef", f"abc{LOST}def"),
        ("half \udc80", f"half {LOST}"),
        ("  Größe [bold]µ[/bold]  ", "Größe [bold]µ[/bold]"),
    ],
)
def test_one_line_texts_have_nothing_a_terminal_obeys(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_blocks_keep_their_lines_and_tabs() -> None:
    assert clean_block("a\r\n\tb\rc\n\x1b[2Jd") == "a\n\tb\nc\nd"


def test_an_endless_escape_sequence_hides_nothing() -> None:
    assert clean_block("\x1b]0;no end\nthe rest") == "0;no end\nthe rest"


@given(st.text(st.sampled_from("\x1b[]0;m\x07\x9b\x9c\\P \nx\udc80\u202e")))
def test_no_text_keeps_a_control_character(text: str) -> None:
    shown = clean_block(text)
    assert all(char == "\n" or char.isprintable() for char in shown)
    shown.encode()


def test_hostile_sequences_are_cleaned_in_linear_time() -> None:
    assert clean_block("\x1b]" * 200_000) == ""
    assert clean_block("\x1b[" + "0" * 200_000) == "0" * 200_000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.0001, "0 s"),
        (0.123, "0.12 s"),
        (4.56, "4.6 s"),
        (59.6, "1 min"),
        (3599, "59 min 59 s"),
        (3601, "1 h"),
        (5400, "1 h 30 min"),
        (86_400 * 2 + 3 * 3600 + 59, "2 d 3 h"),
        (-5, "0 s"),
    ],
)
def test_durations_have_their_two_largest_units(seconds: float, words: str) -> None:
    assert length(timedelta(seconds=seconds)) == words


def test_what_is_left_until_a_due_instant() -> None:
    assert left(None, NOON) == "-"
    assert left(NOON, NOON) == "now"
    assert left(NOON - timedelta(hours=1), NOON) == "now"
    assert left(NOON + timedelta(hours=1), NOON) == "1 h"


def test_instants_are_shown_to_the_second() -> None:
    assert instant(None) == "-"
    assert instant(NOON + timedelta(microseconds=5)) == "2026-03-01 12:00:00"


def test_long_cells_are_clipped() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("ab cd", 4) == "ab…"


def test_tables_are_aligned_text_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("key", "title"), [("a#b", "One"), ("long/key#b", "Two\x1b[31m\nlines"), ("c#d", "x" * 1000)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["KEY         TITLE", "a#b         One", "long/key#b  Two lines"]
    assert lines[3] == f"c#d         {'x' * 99}…"


def test_an_empty_table_has_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("key", "title"), [])
    assert capsys.readouterr().out == "KEY  TITLE\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_tables_on_a_terminal_have_colours_but_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show_table(("title", "outcome"), [("[red]x[/red]\x1b[2J", "failed")])
    shown = terminal.getvalue()
    assert "[red]x[/red]" in shown
    assert "\x1b[2J" not in shown
    assert "\x1b[1;31mfailed" in shown


def test_fields_are_aligned_and_empty_ones_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    show_fields([("Key", "a#b"), ("Host", ""), ("Return code", "3\n4")])
    assert capsys.readouterr().out == "Key:         a#b\nReturn code: 3 4\n"


def test_json_has_enums_by_name_and_instants_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"outcome": Outcome.TIMED_OUT, "due": NOON, "title": "\x1b[31m \x9b \u202e"})
    out = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)
    assert json.loads(out) == {
        "outcome": "timed_out",
        "due": "2026-03-01T12:00:00Z",
        "title": "\x1b[31m \x9b \u202e",
    }


def test_json_spells_out_undecodable_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    show_json([{"path": "b\udcffd", "n": 1, "more": ("\udcff",)}])
    assert json.loads(capsys.readouterr().out) == [{"path": "b\\udcffd", "n": 1, "more": ["\\udcff"]}]
