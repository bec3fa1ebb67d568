"""What happens while one looks, as server-sent events: that something changed, and what a run prints."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Final, TypeVar

import anyio
from markupsafe import escape
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gavo_exec.control_views import LiveLine
from gavo_exec.errors import GavoExecError
from gavo_exec.web import words
from gavo_exec.web.house import House

_MOST_STREAMS: Final = 48
_LOOK_SECONDS: Final = 1.0
_BETWEEN_SECONDS: Final = 2.0
_SIGN_OF_LIFE_SECONDS: Final = 15.0
_SIGN_OF_LIFE: Final = b": still here\n\n"
_MOST_OUTPUT_CHARACTERS: Final = 1_000_000
"""How much a page is given live: browsers are not made for more; the whole is there when the run has ended."""

_T = TypeVar("_T")


class Live:
    """Streams, of which there are not too many at once."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._open = 0
        self._threads = anyio.CapacityLimiter(_MOST_STREAMS)

    async def changes(self, request: Request) -> Response:
        """That something changed; from what the state file says, which asks nothing of the daemon."""
        return self._stream(request, self._changes())

    async def output(self, request: Request) -> Response:
        """What a run prints, until it has ended."""
        return self._stream(request, self._output(request.query_params.get("id", "")))

    def passed_on(self, request: Request, lines: Iterator[bytes], *, kind: str) -> Response:
        """What the daemon streams, as it does."""
        return self._stream(request, self._passed_on(lines), kind=kind)

    def _stream(
        self, request: Request, parts: AsyncGenerator[bytes, None], *, kind: str = "text/event-stream"
    ) -> Response:
        if self._open >= _MOST_STREAMS:
            return self._house.fault(request, "Too many are watching; load the page again later.", status=503)
        return StreamingResponse(self._counted(parts), media_type=kind)

    async def _counted(self, parts: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
        self._open += 1
        try:
            async with aclosing(parts):
                async for part in parts:
                    yield part
        finally:
            self._open -= 1

    async def _passed_on(self, lines: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
        try:
            while (line := await self._on_thread(lambda: next(lines, None))) is not None:
                yield line
        finally:
            await self._close(lines)

    async def _close(self, lines: Iterator[object]) -> None:
        """Let go of what is followed, though whoever followed is gone."""
        with anyio.CancelScope(shield=True):
            await self._on_thread(lines.close)  # type: ignore[attr-defined] # it is a generator

    async def _changes(self) -> AsyncGenerator[bytes, None]:
        known, silent = await self._version(), 0.0
        yield _event("hello", "")
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            silent += _LOOK_SECONDS
            if (version := await self._version()) != known:
                known, silent = version, 0.0
                # What the daemon said before that is kept for a while: who looks now is to see the change.
                await asyncio.sleep(self._house.overview.seconds_left())
                yield _event("changed", "")
                await asyncio.sleep(_BETWEEN_SECONDS)
            elif silent >= _SIGN_OF_LIFE_SECONDS:
                silent = 0.0
                yield _SIGN_OF_LIFE

    async def _version(self) -> int:
        def look() -> int:
            with self._house.face.open_store() as store:
                return store.version_of_others()

        return await self._on_thread(look)

    async def _output(self, run_id: str) -> AsyncGenerator[bytes, None]:
        house = self._house
        lines = house.face.ask("").follow(run_id=run_id)
        sent, rest = 0, ""
        try:
            while (line := await self._next(lines)) is not None:
                if line.ended is not None:
                    break
                if not line.output:
                    yield _SIGN_OF_LIFE
                    continue
                # Secrets are hidden line by line: what is no whole line yet waits, unless it becomes very long.
                whole, end, rest = (rest + line.output).rpartition("\n")
                text = whole + end
                if len(rest) > 10_000:
                    text, rest = text + rest, ""
                text, left = text[: _MOST_OUTPUT_CHARACTERS - sent], len(text) > _MOST_OUTPUT_CHARACTERS - sent
                sent += len(text)
                if text:
                    yield self._printed(text)
                if left:
                    yield self._printed("\n[... more was printed: load the page again when the run has ended ...]\n")
                    while (line := await self._next(lines)) is not None and line.ended is None:
                        yield _SIGN_OF_LIFE
                    rest = ""
                    break
            if rest:
                yield self._printed(rest)
        except GavoExecError as fault:
            yield self._printed(f"[{fault}]\n")
        finally:
            await self._close(lines)
        # The page asks for the run anew, which is written down a moment after it has ended.
        await asyncio.sleep(0.2)
        yield _event("ended", "")

    def _printed(self, text: str) -> bytes:
        return _event("output", str(escape(words.block(self._house.face.mask(text)))))

    async def _next(self, lines: Iterator[LiveLine]) -> LiveLine | None:
        return await self._on_thread(lambda: next(lines, None))

    async def _on_thread(self, call: Callable[[], _T]) -> _T:
        return await anyio.to_thread.run_sync(call, limiter=self._threads)


def _event(name: str, data: str) -> bytes:
    """An event; each line of the data has a field of its own."""
    text = f"event: {name}\n" + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n"
    return text.encode("utf-8", "replace")
