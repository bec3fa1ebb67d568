"""The app: what is at which address, and who may go there."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Asgi

from gavo_exec.access import Scope
from gavo_exec.errors import GavoExecError, StoreError
from gavo_exec.web.api import Api
from gavo_exec.web.deeds import DEEDS, Deeds, address_of
from gavo_exec.web.doorkeeper import NOBODY, TooManyError, Visitor
from gavo_exec.web.house import FOLDER, Face, House
from gavo_exec.web.live import Live
from gavo_exec.web.pages import Pages
from gavo_exec.web.walls import Walls

_log = logging.getLogger("gavo_exec")

_STATIC: Final = {
    "style.css": "text/css; charset=utf-8",
    "htmx-2.0.11.min.js": "text/javascript; charset=utf-8",
    "htmx-sse-2.2.4.min.js": "text/javascript; charset=utf-8",
}
_FOR_ALL: Final = frozenset({"/healthz", "/readyz", "/login", "/favicon.svg"})
"""What also those see who may not look."""

_FOR_PROGRAMS: Final = ("/v1/", "/metrics", "/calendar.ics")


def make_app(face: Face) -> ASGIApp:
    """The app, as servers take it."""
    house = House(face)
    pages, deeds, live = Pages(house), Deeds(house), Live(house)
    api = Api(house, live)
    routes = [
        Route("/", pages.overview),
        Route("/job", pages.job),
        Route("/run", pages.run),
        Route("/run/output", pages.output),
        Route("/run/live", live.output),
        Route("/broken", pages.broken),
        Route("/mail", pages.mail),
        Route("/audit", pages.audit),
        Route("/changes", live.changes),
        Route("/favicon.svg", pages.favicon),
        Route("/login", pages.login, methods=["GET"]),
        Route("/login", deeds.login, methods=["POST"]),
        Route("/logout", deeds.logout, methods=["POST"]),
        *(Route(f"/do/{what}", deeds.doing(do), methods=["POST"]) for what, do in DEEDS.items()),
        Route("/healthz", api.healthz),
        Route("/readyz", api.readyz),
        Route("/metrics", api.measured),
        Route("/calendar.ics", api.calendar),
        Route("/v1/openapi.json", api.openapi),
        Route("/v1/{rest:path}", api.control, methods=["GET", "POST"]),
        *(Route(f"/static/{name}", _static(name, kind)) for name, kind in _STATIC.items()),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(_Door, house=house)],
        exception_handlers={
            HTTPException: _unknown(house),
            StoreError: _broken(house),
            ClientDisconnect: _too_much,
        },
    )
    return Walls(app, names=face.names, prefix=house.prefix)


class _Door:
    """Finds out who asks, and lets in who may look."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Let a request through, or say what it takes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, house = Request(scope), self._house
        path, answer = scope["path"], None
        request.state.visitor = NOBODY
        is_for_all = path in _FOR_ALL or path.startswith("/static/")
        is_for_programs = path.startswith(_FOR_PROGRAMS)
        try:
            visitor = NOBODY if is_for_all and path != "/login" else self._visitor(request)
            request.state.visitor = visitor
            if house.face.needs_token and not is_for_all and not visitor.may(Scope.READ):
                answer = (
                    PlainTextResponse(
                        "this takes a token: Authorization: Bearer ...\n", 401, {"WWW-Authenticate": "Bearer"}
                    )
                    if is_for_programs
                    else RedirectResponse(f"{house.prefix}/login", 303)
                )
        except TooManyError:
            answer = PlainTextResponse("too many wrong tokens; wait a minute\n", 429)
        except StoreError as fault:
            _log.error("%s", fault)
            answer = PlainTextResponse("the tokens cannot be read; see the daemon's log\n", 503)
        await (answer or self._app)(scope, receive, send)

    def _visitor(self, request: Request) -> Visitor:
        """Who asks: by a token in a header, else by a cookie."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        doorkeeper, address = self._house.doorkeeper, address_of(request)
        if kind.lower() == "bearer":
            return doorkeeper.by_secret(secret.strip(), address=address)
        return doorkeeper.by_session(request.cookies.get(doorkeeper.cookie, ""), address=address)


_Handler = Callable[[Request, Exception], Awaitable[Response]]


def _unknown(house: House) -> _Handler:
    async def answer(request: Request, fault: Exception) -> Response:
        status = fault.status_code if isinstance(fault, HTTPException) else 500
        words = {404: "There is no such page", 405: "That cannot be done here"}.get(status, "That is not done")
        return house.fault(request, "Look whether the address is right.", status=status, title=words)

    return answer


def _broken(house: House) -> _Handler:
    async def answer(request: Request, fault: Exception) -> Response:
        _log.error("the dashboard cannot read the state: %s", fault)
        message = str(fault) if isinstance(fault, GavoExecError) else "See the daemon's log."
        return house.fault(request, message, status=503, title="The state cannot be read")

    return answer


def _too_much(_: Request, __: Exception) -> Response:
    """For who sends too much, too slowly, or goes away: it may yet be there to read it."""
    return PlainTextResponse("That was too much, or too slow.\n", 413, {"Connection": "close"})


def _static(name: str, kind: str) -> Callable[[Request], Response]:
    """One of our own files, of which there are few."""
    content = (FOLDER / "static" / name).read_bytes()

    def answer(_: Request) -> Response:
        keep = "public, max-age=300" if name.endswith(".css") else "public, max-age=31536000, immutable"
        return Response(content, media_type=kind, headers={"Cache-Control": keep})

    return answer
