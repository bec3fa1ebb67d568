"""The pieces that mails are made of, by examples."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.services.mail.texts import block, duration, instant, listing, moment, one_line, ordinal, plural
from tests.unit.services.mail.cases import NOW


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  two\r\n\twords ", "two words"),
        ("Grüße 🚀", "Grüße 🚀"),
        ("a\u202eb", "a b"),
        ("a\ud800b", "a b"),
        ("a\0b", "a b"),
        ("abcdefghijk", "abcdefghi…"),
        ("abcdefghij", "abcdefghij"),
        (" " * 100 + "x", "…"),
        ("", ""),
    ],
)
def test_a_line_is_single_printable_and_bounded(text: str, line: str) -> None:
    assert one_line(text, limit=10) == line


@given(st.text(), st.integers(1, 50), st.booleans())
def test_any_text_makes_a_line(text: str, limit: int, keeps_blanks: bool) -> None:
    line = one_line(text, limit=limit, keeps_blanks=keeps_blanks)
    assert line.isprintable()
    assert len(line) <= limit


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a\nb\n", ["a", "b"]),
        ("a\nb\nc\n", ["a", "b", "c"]),
        ("a\nb\nc\nd\n", ["[1 line before this left out]", "b", "c", "d"]),
        ("a\tb", ["a       b"]),
        ("bar\rbar\rdone", ["bar", "bar", "done"]),
        ("a\x1b[31mb", ["a\ufffd[31mb"]),
        ("x" * 30, ["[10 characters before this left out]", "x" * 20]),
        ("first\n" + "x" * 15 + "\nlast\n", ["[2 lines before this left out]", "last"]),
    ],
)
def test_a_block_is_the_end_of_a_text(text: str, lines: list[str]) -> None:
    assert block(text, lines=3, characters=20) == lines


def test_the_end_of_a_long_line_is_counted() -> None:
    assert block("x" * 1500, lines=3, characters=10_000) == ["x" * 500 + " [1,000 characters more]"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\tif x:", "    if x:"),
        ("        raise ValueError('ä')", "        raise ValueError('ä')"),
        ("a\x1b[31m\u202e", "a\ufffd[31m\ufffd"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "…"),
        ("\t" * 100_000, " " * 200 + "…"),
    ],
)
def test_code_keeps_its_indentation_and_is_bounded(line: str, shown: str) -> None:
    assert listing(line) == shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (2.14, "2.1 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 0 s"),
        (133, "2 min 13 s"),
        (3599.7, "1 h 0 min"),
        (3_720, "1 h 2 min"),
        (100_000, "1 d 3 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "word"),
    [
        *((1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th")),
        *((11, "11th"), (12, "12th"), (13, "13th"), (14, "14th"), (20, "20th")),
        *((21, "21st"), (22, "22nd"), (23, "23rd"), (30, "30th"), (101, "101st")),
        *((111, "111th"), (112, "112th"), (113, "113th"), (121, "121st"), (1003, "1,003rd"), (1011, "1,011th")),
    ],
)
def test_ordinals_end_as_english_has_it(count: int, word: str) -> None:
    assert ordinal(count) == word


@pytest.mark.parametrize(("count", "words"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs"), (1234, "1,234 jobs")])
def test_several_are_many(count: int, words: str) -> None:
    assert plural(count, "job") == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW, "03:05"),
        (NOW - timedelta(hours=3), "00:05"),
        (NOW - timedelta(hours=4), "2024-04-30 23:05"),
        (NOW - timedelta(days=365), "2023-05-02 03:05"),
        (NOW + timedelta(days=1), "2024-05-02 03:05"),
    ],
)
def test_a_moment_has_its_day_unless_that_is_this_one(at: datetime, words: str) -> None:
    assert moment(at, NOW) == words


def test_instants_say_that_they_are_in_utc() -> None:
    assert instant(NOW) == "2024-05-01 03:05:00 UTC"
