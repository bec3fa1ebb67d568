"""What one can do from the pages: with a token, from a form of ours, and written down by the daemon."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gavo_exec.access import Scope
from gavo_exec.control import RefusedError, UnknownNameError
from gavo_exec.errors import GavoExecError
from gavo_exec.ports.face import Asked
from gavo_exec.web.doorkeeper import NOBODY, TooManyError, Visitor
from gavo_exec.web.house import House
from gavo_exec.web.words import line

Form = dict[str, str]
_Do = Callable[[Asked, Form, datetime], str]
"""Does something and answers which page to show afterwards."""

_PAUSES: Final = {"1h": 1, "8h": 8, "1d": 24, "7d": 168}


def _trigger(daemon: Asked, form: Form, _: datetime) -> str:
    key = form.get("key", "")
    daemon.trigger(key, parameters={})
    return f"/job?key={_quoted(key)}&done=triggered"


def _cancel(daemon: Asked, form: Form, _: datetime) -> str:
    daemon.cancel(form.get("run", ""))
    return f"/job?key={_quoted(form.get('key', ''))}&done=cancelled"


def _pause(daemon: Asked, form: Form, now: datetime) -> str:
    key, hours = form.get("key", ""), _PAUSES.get(form.get("for", ""))
    ends_at = now + timedelta(hours=hours) if hours is not None else None
    daemon.pause(key, until=ends_at, note=line(form.get("note", ""))[:500])
    return f"/job?key={_quoted(key)}&done=paused" if key else "/"


def _resume(daemon: Asked, form: Form, _: datetime) -> str:
    key = form.get("key", "")
    daemon.resume(key)
    return f"/job?key={_quoted(key)}&done=resumed" if key else "/"


def _reload(daemon: Asked, _form: Form, _: datetime) -> str:
    daemon.reload()
    return "/broken"


def _deliver(daemon: Asked, _form: Form, _: datetime) -> str:
    daemon.deliver()
    return "/mail?done=delivering"


DEEDS: Final[dict[str, _Do]] = {
    "trigger": _trigger,
    "cancel": _cancel,
    "pause": _pause,
    "resume": _resume,
    "reload": _reload,
    "deliver": _deliver,
}


class Deeds:
    """Answers forms."""

    def __init__(self, house: House) -> None:
        self._house = house

    def doing(self, do: _Do) -> Callable[[Request], Awaitable[Response]]:
        """What answers the forms for this."""

        async def answer(request: Request) -> Response:
            return await self._answer(request, do)

        return answer

    async def _answer(self, request: Request, do: _Do) -> Response:
        house, visitor = self._house, request.state.visitor
        form = await _form(request)
        if not visitor.may(Scope.OPERATE):
            message = "Log in with a token of scope operate, and then do it again."
            return house.fault(request, message, status=403, title="You may look, but not do that")
        if not visitor.by_cookie or not house.doorkeeper.is_own_form(visitor, form.get("form_token", "")):
            return house.fault(request, "Go back, load the page again, and do it once more.", status=403)
        try:
            house.doorkeeper.count_deed(visitor)
            path = await run_in_threadpool(self._carry_out, do, form, visitor)
        except TooManyError:
            return house.fault(request, "That is too much in one minute; wait a little.", status=429)
        except GavoExecError as fault:
            status = 404 if isinstance(fault, UnknownNameError) else 409 if isinstance(fault, RefusedError) else 503
            return house.fault(request, str(fault), status=status)
        return house.back(path)

    def _carry_out(self, do: _Do, form: Form, visitor: Visitor) -> str:
        daemon = self._house.face.ask(f"{visitor.name} on the web")
        path = do(daemon, form, self._house.now())
        self._house.overview.forget()
        return path

    async def login(self, request: Request) -> Response:
        """Let somebody in who has a token."""
        house = self._house
        form = await _form(request)
        following = _own_path(form.get("next", "/").removeprefix(house.prefix))
        try:
            visitor = house.doorkeeper.by_secret(form.get("token", "").strip(), address=address_of(request))
        except TooManyError:
            return house.fault(request, "Too many wrong tokens; wait a minute.", status=429, title="Not now")
        if visitor.token is None:
            return house.page(
                "login.html",
                request,
                403,
                kind="warn",
                following=following,
                fault="This is no token, or one that has expired.",
            )
        value, seconds = house.doorkeeper.open_session(visitor.token)
        answer = house.back(following)
        answer.set_cookie(
            house.doorkeeper.cookie,
            value,
            max_age=seconds,
            path="/",
            secure=house.is_secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def logout(self, request: Request) -> Response:
        """Let a session be over in this browser."""
        house = self._house
        form = await _form(request)
        if not house.doorkeeper.is_own_form(request.state.visitor, form.get("form_token", "")):
            return house.fault(request, "Go back, load the page again, and do it once more.", status=403)
        answer = house.back("/")
        answer.delete_cookie(
            house.doorkeeper.cookie, path="/", secure=house.is_secure, httponly=True, samesite="strict"
        )
        request.state.visitor = NOBODY
        return answer


async def _form(request: Request) -> Form:
    """The fields of a form; of several of a name the last."""
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return {}


def _own_path(path: str) -> str:
    """A path of ours to go to, whatever somebody put there."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else "/"


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client is not None else ""


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")
