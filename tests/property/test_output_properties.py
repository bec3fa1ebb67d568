"""Laws of bounded output."""

from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.runtime.output import BoundedOutput

chunks = st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=15).map(str.encode)), max_size=12)
limits = st.integers(0, 60)


def filled(limit_bytes: int, *pieces: bytes) -> BoundedOutput:
    output = BoundedOutput(limit_bytes)
    for piece in pieces:
        output.append(piece)
    return output


@given(limits, chunks)
def test_how_it_was_cut_into_pieces_does_not_show(limit_bytes: int, pieces: list[bytes]) -> None:
    whole = filled(limit_bytes, b"".join(pieces))
    assert filled(limit_bytes, *pieces).content() == whole.content()
    assert filled(limit_bytes, *pieces).text() == whole.text()


@given(chunks, st.integers(0, 20))
def test_nothing_is_lost_up_to_the_limit(pieces: list[bytes], more: int) -> None:
    data = b"".join(pieces)
    assert filled(len(data) + more, *pieces).content() == data


@given(limits, chunks, st.binary(min_size=1, max_size=80))
def test_what_is_kept_and_what_is_left_out_is_all_there_was(limit_bytes: int, pieces: list[bytes], more: bytes) -> None:
    data = b"".join(pieces) + more
    if len(data) <= limit_bytes:
        data += b"x" * (limit_bytes - len(data) + 1)
    content = filled(limit_bytes, data).content()
    before, _, rest = content.rpartition(b"[... ")
    left_out, _, tail = rest.partition(b" bytes left out ...]\n")
    head = before if data.startswith(before) and len(before) <= limit_bytes // 2 else before.removesuffix(b"\n")
    assert data.startswith(head)
    assert data.endswith(tail)
    assert len(head) + int(left_out.replace(b",", b"")) + len(tail) == len(data)
    assert limit_bytes - 6 <= len(head) + len(tail) <= limit_bytes


@given(limits, st.text(min_size=1).map(lambda text: text * 40))
def test_text_that_was_cut_does_not_look_broken(limit_bytes: int, text: str) -> None:
    assert "\\x" not in filled(limit_bytes, text.replace("\\", "").encode()).text()
