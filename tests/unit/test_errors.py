import re

import pytest

from gavo_exec.errors import (
    CODES,
    NOWHERE,
    DeliveryError,
    DescriptorError,
    Diagnostic,
    GavoExecError,
    Position,
    ReportableError,
    RunError,
    RunTimeout,
    SettingsError,
    Severity,
    SpawnFailed,
    StoreError,
    plain,
    shortened,
)

Q = Position(path="/rds/ex/q.rd", line=7, column=12)


def diagnostic(
    *,
    message: str = "'pm' follows the time",
    position: Position = Q,
    hint: str = "",
    excerpt: str = "",
    length: int = 0,
) -> Diagnostic:
    return Diagnostic(code="E301", message=message, position=position, hint=hint, excerpt=excerpt, length=length)


def test_a_position_is_what_editors_jump_to() -> None:
    assert str(Q) == "/rds/ex/q.rd:7:12"
    assert str(Position(path="q.rd", via=(Q,))) == "q.rd:1:1"
    assert Position(path="") == NOWHERE


def test_a_diagnostic_is_one_line_and_an_error_by_default() -> None:
    assert str(diagnostic(excerpt="x", hint="y")) == "/rds/ex/q.rd:7:12: E301 'pm' follows the time"
    assert diagnostic().severity is Severity.ERROR


def rendered(text: str) -> str:
    """A snapshot as it stands in the table: without the table's margin."""
    return text.strip("\n").replace("|", "")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(diagnostic(), "/rds/ex/q.rd:7:12: E301 'pm' follows the time", id="bare"),
        pytest.param(
            diagnostic(excerpt="  <at>7:30</at>", position=Position(path="q.rd", line=3, column=7), length=4),
            """
|q.rd:3:7: E301 'pm' follows the time
|      <at>7:30</at>
|          ^^^^
""",
            id="marked",
        ),
        pytest.param(
            diagnostic(excerpt="<at>7:30</at>", position=Position(path="q.rd", line=3, column=5)),
            """
|q.rd:3:5: E301 'pm' follows the time
|    <at>7:30</at>
""",
            id="no stretch of text",
        ),
        pytest.param(
            diagnostic(excerpt="\tat=\t'x'\t>", position=Position(path="q.rd", column=6), length=3),
            """
|q.rd:1:6: E301 'pm' follows the time
|    \tat=\t'x'\t>
|    \t   \t^^^
""",
            id="tabs lead the marker",
        ),
        pytest.param(
            diagnostic(excerpt="a\x1b[31mb\x00c\u202ed", position=Position(path="q.rd", column=7), length=1),
            """
|q.rd:1:7: E301 'pm' follows the time
|    a [31mb c d
|          ^
""",
            id="control characters are blanked",
        ),
        pytest.param(
            diagnostic(excerpt="code  \r", position=Position(path="q.rd", column=1), length=99),
            """
|q.rd:1:1: E301 'pm' follows the time
|    code
|    ^^^^
""",
            id="the marker ends with the line",
        ),
        pytest.param(
            diagnostic(excerpt="short", position=Position(path="q.rd", column=99), length=2),
            """
|q.rd:1:99: E301 'pm' follows the time
|    short
|         ^
""",
            id="a place past the end is the end",
        ),
        pytest.param(
            diagnostic(
                position=Position(path="s.rd", line=4, via=(Q, Position(path="top.rd", line=2, column=3))),
                hint="write 7:30",
            ),
            """
|s.rd:4:1: E301 'pm' follows the time
|  via /rds/ex/q.rd:7:12
|  via top.rd:2:3
|  hint: write 7:30
""",
            id="places on the way and the hint",
        ),
        pytest.param(
            diagnostic(
                message="id\nx\x1b[2J",
                hint="a\nb",
                position=Position(path="a\nb\udcff.rd", via=(Position(path="\x07"),)),
            ),
            r"""
|a\nb\udcff.rd:1:1: E301 id\nx\x1b[2J
|  via \x07:1:1
|  hint: a\nb
""",
            id="no text breaks a line or reaches the terminal raw",
        ),
    ],
)
def test_a_diagnostic_is_rendered_for_people(shown: Diagnostic, expected: str) -> None:
    assert shown.render() == rendered(expected)


@pytest.mark.parametrize("column", [1, 50, 5_000, 10_000])
def test_of_a_long_line_the_part_round_the_fault_is_shown(column: int) -> None:
    line = "".join(f"{number:10}" for number in range(0, 10_000, 10))
    fault = line[column - 1 : column + 2]
    place = Position(path="q.rd", column=column)
    _, shown, marker = diagnostic(excerpt=line, position=place, length=len(fault)).render().splitlines()
    assert len(shown) <= 164
    assert shown[marker.index("^") : len(marker)] == fault
    assert shown.strip() in line


def test_a_line_that_just_fits_is_shown_whole() -> None:
    line = "x" * 159 + "y"
    shown = diagnostic(excerpt=line, position=Position(path="q.rd", column=160), length=1).render().splitlines()
    assert shown[1:] == [f"    {line}", " " * 163 + "^"]


def test_what_surrogates_stand_in_a_path_can_be_written_out() -> None:
    """File names need not be UTF-8."""
    assert diagnostic(position=Position(path="/rds/\udce4.rd")).render().encode("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Zeitgefühl 'x' \\n", "Zeitgefühl 'x' \\n"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J\x9b\u2028\u202e", "\\x1b[2J\\x9b\\u2028\\u202e"),
    ],
)
def test_plain_text_is_on_one_line_and_harmless(text: str, expected: str) -> None:
    assert plain(text) == expected
    assert plain(text).isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "''"), ("x" * 60, f"'{'x' * 60}'"), ("x" * 61, f"'{'x' * 60}'..."), ("a\nb", "'a\\nb'")],
)
def test_a_text_is_quoted_and_shortened_for_messages(text: str, expected: str) -> None:
    assert shortened(text) == expected


def test_codes_say_their_severity_and_end_as_sentences() -> None:
    assert all(re.fullmatch(r"[EWN]\d{3}", code) for code in CODES)
    assert all(meaning.endswith(".") and "\n" not in meaning for meaning in CODES.values())
    assert list(CODES) == sorted(CODES, key=lambda code: (code[1], code[0], code))


def test_a_descriptor_error_has_every_fault_in_order_a_line_each() -> None:
    faults = [diagnostic(message="one"), diagnostic(message="two\nlines")]
    error = DescriptorError(iter(faults))
    assert error.diagnostics == tuple(faults)
    assert str(error).splitlines() == ["/rds/ex/q.rd:7:12: E301 one", "/rds/ex/q.rd:7:12: E301 two\\nlines"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DescriptorError([]), GavoExecError),
        (SettingsError("x"), GavoExecError),
        (RunError("x"), GavoExecError),
        (SpawnFailed("x"), RunError),
        (RunTimeout("x"), RunError),
        (DeliveryError("x"), GavoExecError),
        (StoreError("x"), GavoExecError),
        (ReportableError("x"), GavoExecError),
    ],
)
def test_whatever_is_foreseen_is_one_tree(error: Exception, kind: type[Exception]) -> None:
    assert isinstance(error, kind)


def test_a_delivery_is_worth_another_try_unless_said_otherwise() -> None:
    assert not DeliveryError("greylisted").permanent
    assert DeliveryError("no such mailbox", permanent=True).permanent


def test_what_job_code_reports_has_a_message_and_a_hint() -> None:
    error = ReportableError("no night", hint="look at the log")
    assert (str(error), error.msg, error.hint) == ("no night", "no night", "look at the log")
