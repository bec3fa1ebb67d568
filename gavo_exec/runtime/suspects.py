"""Which job held the interpreter's lock, by what faulthandler wrote while it did; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gavo_exec.model import Code, RunRequest
from gavo_exec.rdfiles import SUFFIX

_THREAD = re.compile(r"^(?:Current thread|Thread) 0x([0-9a-f]+)[^\n]*\(most recent call first\):$")
_FRAME = re.compile(r'^  File "(.*)", line (\d+) in ')
_TIMEOUT = "Timeout ("

_LEAST_COMPUTED = 0.02
"""The part of the time that whoever holds the lock and computes has at least had a processor for."""

_LONGEST_PATH = 500  # faulthandler's bound

_WAITING = re.compile(
    r"/(?:threading|queue|selectors|subprocess|socket|ssl)\.py$|/gavo_exec/runtime/(?:workers|process|active)\b"
)
"""Files whose code waits without the lock, so that no thread that is there has it."""


class Frame(msgspec.Struct, frozen=True):
    """A place in code, the path as faulthandler writes it."""

    path: str
    line: int


class Dumped(msgspec.Struct, frozen=True):
    """What a thread was doing, the innermost frame first; ``thread`` is its identifier."""

    thread: int
    frames: tuple[Frame, ...]


class Station(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The run that a thread is in or, where ``is_running`` is False, was in last; ``thread`` is its identifier."""

    thread: int
    request: RunRequest
    is_running: bool


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A job that may have held the lock, and where (``path:line``); ``thread`` is that of its run."""

    thread: int
    key: str
    where: str


class Accusation(msgspec.Struct, frozen=True, kw_only=True):
    """Who held the lock; where that is not certain, ``key`` is '', and ``where`` names all that may have done it."""

    key: str = ""
    where: str = ""


def parse_dump(text: str) -> tuple[Dumped, ...]:
    """All threads in a text by faulthandler; of several texts, one after the other, those of the last."""
    threads: list[tuple[int, list[Frame]]] = []
    for line in text.splitlines():
        if line.startswith(_TIMEOUT):
            threads.clear()
        elif begins := _THREAD.match(line):
            threads.append((int(begins[1], 16), []))
        elif threads and (frame := _FRAME.match(line)):
            threads[-1][1].append(Frame(frame[1], int(frame[2])))
    return tuple(Dumped(thread, tuple(frames)) for thread, frames in threads)


def suspects_in(dumped: Iterable[Dumped], stations: Sequence[Station]) -> list[Suspect]:
    """The jobs whose code may have held the lock: those of threads that were not waiting, in a run or begun by one.

    Of several stations of a thread the first that fits counts.
    """
    found = []
    for each in dumped:
        if not _may_hold(each):
            continue
        own = [station for station in stations if station.thread == each.thread]
        suspect = _suspect(each, own) or _suspect(each, stations)
        if suspect is None and own and own[0].is_running:  # deep in what is none of its RD's code
            frame = each.frames[0]
            where = f"{frame.path}:{frame.line}"
            suspect = Suspect(thread=each.thread, key=own[0].request.execute.key, where=where)
        if suspect is not None:
            found.append(suspect)
    return found


def accuse(
    suspects: Sequence[Suspect], *, seconds: float, process_seconds: float, cpu_seconds: Mapping[int, float]
) -> Accusation:
    """Single out who held the lock for so long.

    ``process_seconds`` is how long the process computed meanwhile, and ``cpu_seconds`` how long its threads did, as far
    as that is known.
    """
    left: list[Suspect] = []
    if process_seconds >= seconds * _LEAST_COMPUTED:  # little may be much, where others want the processors, too
        left = [suspect for suspect in suspects if cpu_seconds.get(suspect.thread, 0.0) >= process_seconds / 2]
    if not left:
        all_of_it = process_seconds >= seconds / 2
        left = [suspect for suspect in suspects if not all_of_it or suspect.thread not in cpu_seconds]
    if len(left) == 1:
        return Accusation(key=left[0].key, where=left[0].where)
    return Accusation(where=" or ".join(f"{suspect.key} at {suspect.where}" for suspect in left))


def was_in_rd(dumped: Iterable[Dumped]) -> Frame | None:
    """The place in an RD that a thread which may have held the lock was in, where no more is known than the text."""
    frames = (frame for each in dumped if _may_hold(each) for frame in each.frames)
    return next((frame for frame in frames if frame.path.endswith(SUFFIX)), None)


def _may_hold(dumped: Dumped) -> bool:
    """Whether a thread was not waiting for something without the lock."""
    return bool(dumped.frames) and not _WAITING.search(dumped.frames[0].path)


def _suspect(dumped: Dumped, stations: Sequence[Station]) -> Suspect | None:
    """The job of one of these stations that a thread was in the code of."""
    for frame in dumped.frames:
        fitting = [(station, path) for station in stations if (path := _path_in(frame, station.request)) is not None]
        for station, path in sorted(fitting, key=lambda each: not _has_code_at(each[0].request, each[1], frame.line)):
            return Suspect(thread=dumped.thread, key=station.request.execute.key, where=f"{path}:{frame.line}")
    return None


def _path_in(frame: Frame, request: RunRequest) -> str | None:
    """The file that a frame is in, if it is one that the request's RD was read from."""
    job = request.execute.job
    paths = {request.rd.path, *request.rd.sources, job.position.path, *(code.position.path for code in job.setup)}
    return next((path for path in paths if _written(path) == frame.path), None)


def _has_code_at(request: RunRequest, path: str, line: int) -> bool:
    """Whether code of the request's job is in this line."""
    return any(
        code.position.path == path and line in _lines_of(code)
        for code in (request.execute.job, *request.execute.job.setup)
    )


def _lines_of(code: Code) -> Sequence[int]:
    """The lines of the file that code is in."""
    return code.lines or range(code.first_line, code.first_line + code.source.count("\n") + 1)


def _written(path: str) -> str:
    """A path as faulthandler writes it."""
    shown = path[:_LONGEST_PATH]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(char if " " <= char <= "~" else _escape(ord(char)) for char in shown)
    return shown if len(path) <= _LONGEST_PATH else f"{shown}..."


def _escape(number: int) -> str:
    """A character that is not printable ASCII."""
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
