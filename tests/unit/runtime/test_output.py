"""Bounded output: what is kept, what is said of the rest, what it costs."""

import threading
import tracemalloc

import pytest

from gavo_exec.runtime.output import BoundedOutput


def filled(limit_bytes: int, *pieces: bytes) -> BoundedOutput:
    output = BoundedOutput(limit_bytes)
    for piece in pieces:
        output.append(piece)
    return output


@pytest.mark.parametrize(
    ("limit_bytes", "pieces", "text"),
    [
        pytest.param(10, [], "", id="nothing"),
        pytest.param(10, [b"", b""], "", id="empty appends"),
        pytest.param(10, [b"01234", b"56789"], "0123456789", id="just the limit"),
        pytest.param(10, [b"0123456789a"], "01234\n[... 1 bytes left out ...]\n6789a", id="one byte too many"),
        pytest.param(
            10, [b"0123", b"456789abcdef"], "01234\n[... 6 bytes left out ...]\nbcdef", id="across the middle"
        ),
        pytest.param(5, [b"0123456789"], "01\n[... 5 bytes left out ...]\n789", id="odd limit"),
        pytest.param(
            10, [b"0123\n", b"x" * 3_000_000, b"abcd\n"], "0123\n[... 3,000,000 bytes left out ...]\nabcd\n", id="lines"
        ),
        pytest.param(1, [b"abc"], "[... 2 bytes left out ...]\nc", id="room for the end only"),
        pytest.param(0, [b"abc"], "[... 3 bytes left out ...]\n", id="no room"),
        pytest.param(10, [b"a\xffb\xe4\n"], "a\\xffb\\xe4\n", id="undecodable bytes stay visible"),
        pytest.param(10, [b"\xed\xa0\x80"], "\\xed\\xa0\\x80", id="encoded surrogates"),
        pytest.param(
            20, ["€€€€".encode(), "€€€€".encode()], "€€€\n[... 6 bytes left out ...]\n€€€", id="cut characters"
        ),
        pytest.param(12, ["xxx🙂zzz🙂xxx".encode()], "xxx\n[... 11 bytes left out ...]\nxxx", id="of four bytes"),
        pytest.param(8, [b"\x80" * 30], "\\x80\\x80\\x80\\x80\n[... 25 bytes left out ...]\n\\x80", id="no characters"),
        pytest.param(6, ["a€€€€€".encode()], "a\n[... 12 bytes left out ...]\n€", id="the head ends in a character"),
    ],
)
def test_keeps_the_beginning_and_the_end(limit_bytes: int, pieces: list[bytes], text: str) -> None:
    output = filled(limit_bytes, *pieces)
    assert output.text() == text
    assert (
        output.text().encode("utf-8", "surrogatepass") == output.content().decode("utf-8", "backslashreplace").encode()
    )
    assert output.total_bytes == sum(map(len, pieces))


def test_a_character_cut_by_the_turn_of_the_ring_is_whole() -> None:
    # The ring has seven bytes: wherever it has come round to, what it holds reads as one stretch.
    for shift in range(14):
        text = filled(14, b"h" * 7, b"y" * (30 + shift), "ä€ö".encode()).text()
        assert text.endswith("\nä€ö"), shift


def test_reading_in_between_changes_nothing() -> None:
    output = BoundedOutput(10)
    texts = []
    for piece in (b"01234567", b"89abcdef", b"ghij"):
        output.append(piece)
        texts.append(output.text())
    assert texts == [
        "01234567",
        "01234\n[... 6 bytes left out ...]\nbcdef",
        "01234\n[... 10 bytes left out ...]\nfghij",
    ]


def test_the_tee_is_given_everything_as_it_comes() -> None:
    pieces: list[bytes] = []
    output = BoundedOutput(4, pieces.append)
    output.append(b"0123")
    output.append(b"456789")
    assert pieces == [b"0123", b"456789"]
    assert output.text() == "01\n[... 6 bytes left out ...]\n89"


def test_one_that_nothing_is_written_to_holds_no_memory() -> None:
    output = BoundedOutput(1 << 30)
    assert output._kept is None
    assert output.text() == ""
    assert output._kept is None


def test_ten_megabytes_take_the_memory_of_the_limit_and_an_eighth_for_growth() -> None:
    limit_bytes, piece = 1 << 20, b"x" * 65_536
    tracemalloc.start()
    try:
        output = BoundedOutput(limit_bytes)
        for _ in range(160):
            output.append(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert output.total_bytes == 160 * 65_536
    assert limit_bytes <= peak <= limit_bytes * 9 // 8 + 4096


def test_two_writers_lose_nothing() -> None:
    output = BoundedOutput(1000)
    start = threading.Barrier(2)

    def write(byte: bytes) -> None:
        start.wait()
        for _ in range(5000):
            output.append(byte * 7)

    writers = [threading.Thread(target=write, args=(byte,)) for byte in (b"a", b"b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert output.total_bytes == 70_000
    head, note, tail = output.text().split("\n")
    assert (len(head), note, len(tail)) == (500, "[... 69,000 bytes left out ...]", 500)
    assert set(head + tail) <= {"a", "b"}
