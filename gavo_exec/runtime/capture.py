"""Output of job code in this process, run by run: what a thread prints and logs goes to the run it is in.

All runs share ``sys.stdout``, ``sys.stderr`` and the root logger.  While ``install`` is in force, these lead into the
output of the run that the writing thread is in, and to the real stream where it is in none.  Code in a run may even
replace ``sys.stdout``: that holds for its own run, and ends with it.

Threads that job code starts are in no run: what they print goes where the daemon's own output does.  So does what is
written by children that job code starts by other means than ``execDef.spawn``.
"""

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import IO, Any, Final, TextIO, cast

import msgspec

from gavo_exec.runtime.output import BoundedOutput

_ENCODING: Final = "utf-8"
_ERRORS: Final = "backslashreplace"  # whatever job code writes can be written, lone surrogates too


class _Run(msgspec.Struct, eq=False):
    """What a thread's output goes to while it is in a run."""

    output: BoundedOutput
    _replaced: dict[str, TextIO | None] | None = None

    @property
    def replaced(self) -> dict[str, TextIO | None]:
        """What job code put in the place of sys.stdout and sys.stderr."""
        if self._replaced is None:
            self._replaced = {}
        return self._replaced


class _Current(threading.local):
    """The run that the thread is in: kept by thread, which costs half of a context variable."""

    run: _Run | None = None


_current = _Current()


def begin(output: BoundedOutput, tee: Callable[[bytes], object] | None = None) -> None:
    """Let what this thread prints and logs go to this output from now on; ``tee`` is given it as it comes, too."""
    if tee is not None:
        output.tee = tee
    _current.run = _Run(output)


def end() -> None:
    """Let what this thread prints go to the real streams again."""
    _current.run = None


class _Nothing(io.RawIOBase):
    """Takes all bytes and keeps none."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any, /) -> int:
        """Forget these bytes."""
        return memoryview(data).nbytes


_NOWHERE: Final = io.TextIOWrapper(cast("IO[bytes]", _Nothing()), _ENCODING, _ERRORS, write_through=True)
"""Stands in where the process has no such stream, since its descriptor was closed."""


class _BytesRouter(io.BufferedIOBase):
    """``sys.stdout.buffer``: for those who write bytes."""

    def __init__(self, text: "_Router") -> None:
        self._text = text

    def write(self, data: Any, /) -> int:
        """Write bytes to the run's output, or to the original stream."""
        if (run := _current.run) is None:
            return cast("int", self._text.stream.buffer.write(data))
        copy = bytes(memoryview(data))
        run.output.append(copy)
        return len(copy)

    def flush(self) -> None:
        """Flush the original stream; in a run nothing is held back."""
        if _current.run is None:
            self._text.stream.buffer.flush()

    def close(self) -> None:
        """Stay open: all runs share this stream."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """The descriptor of the original stream."""
        return self._text.fileno()


class _Router(io.TextIOBase):
    """What ``sys.stdout`` or ``sys.stderr`` is to code in a run; kept and used outside, the original stream."""

    def __init__(self, original: TextIO | None) -> None:
        self.original = original
        self._buffer = _BytesRouter(self)

    @property
    def stream(self) -> Any:
        """The stream for all that is in no run."""
        return _NOWHERE if self.original is None else self.original

    def write(self, text: str, /) -> int:
        """Write to the run's output, or to the original stream."""
        if (run := _current.run) is None:
            return cast("int", self.stream.write(text))
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        run.output.append(text.encode(_ENCODING, _ERRORS))
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override] # typeshed has the one for bytes
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the original stream; in a run nothing is held back."""
        if _current.run is None:
            self.stream.flush()

    def close(self) -> None:
        """Stay open: all runs share this stream."""

    def reconfigure(self, **options: Any) -> None:
        """Change the original stream; in a run nothing, since all share it."""
        if _current.run is None:
            self.stream.reconfigure(**options)

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """Whether the original is a terminal; no run's output is."""
        return _current.run is None and bool(self.stream.isatty())

    def fileno(self) -> int:
        """The descriptor of the original stream."""
        return cast("int", self.stream.fileno())

    @property
    def buffer(self) -> _BytesRouter:
        """The stream for bytes."""
        return self._buffer

    @property
    def encoding(self) -> str:  # type: ignore[override] # an attribute in typeshed
        """The encoding of the run's output, or of the original stream."""
        return cast("str", self.stream.encoding) if _current.run is None else _ENCODING

    @property
    def errors(self) -> str | None:  # type: ignore[override] # as above
        """What is done about characters that cannot be encoded."""
        return cast("str | None", self.stream.errors) if _current.run is None else _ERRORS


def _seen(name: str, router: _Router) -> Any:
    """What ``sys.stdout`` or ``sys.stderr`` is to this thread."""
    if (run := _current.run) is None:
        return router.original
    return run.replaced.get(name, cast("TextIO", router))


class _Attribute:
    """``sys.stdout`` or ``sys.stderr`` as an attribute of a run's own: reading and replacing it touch no other run."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, module: ModuleType, _owner: type | None = None) -> Any:
        return _seen(self._name, module.__dict__[self._name].router)

    def __set__(self, module: ModuleType, stream: TextIO | None) -> None:
        router: _Router = module.__dict__[self._name].router
        if (run := _current.run) is not None:
            run.replaced[self._name] = stream
        elif stream is not cast("TextIO", router):  # kept from a run, it would lead round in circles
            router.original = stream


class _Sys(ModuleType):
    """The class of ``sys`` while capture is installed."""

    stdout = _Attribute()
    stderr = _Attribute()


class _Entry:
    """What ``print`` finds: it does not ask for the attribute but looks into the module's dictionary."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.router = _Router(getattr(sys, name))

    def __getattr__(self, name: str) -> Any:
        stream = _seen(self._name, self.router)
        return getattr(_NOWHERE if stream is None else stream, name)


class _LogHandler(logging.Handler):
    """Puts log records into the output of the run that their thread is in."""

    def createLock(self) -> None:  # noqa: N802 -- logging's name
        """Have none: runs need not wait for each other."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or treat it as if this handler were not there."""
        if (run := _current.run) is None:
            last = logging.lastResort
            if last is not None and record.levelno >= last.level and logging.root.handlers == [self]:
                last.handle(record)
            return
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
        else:
            run.output.append(f"{line}\n".encode(_ENCODING, _ERRORS))


@contextmanager
def install(log_level: int = logging.INFO) -> Iterator[None]:
    """Capture what runs print and what they log from this level on; installing it again within changes nothing."""
    if isinstance(sys, _Sys):
        yield
        return
    handler = _LogHandler(log_level)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root_level = logging.root.level
    entries = {name: _Entry(name) for name in ("stdout", "stderr")}
    sys.__dict__.update(entries)
    sys.__class__ = _Sys
    logging.root.addHandler(handler)
    logging.root.setLevel(log_level)
    try:
        yield
    finally:
        logging.root.setLevel(root_level)
        logging.root.removeHandler(handler)
        sys.__class__ = ModuleType
        sys.__dict__.update({name: entry.router.original for name, entry in entries.items()})
