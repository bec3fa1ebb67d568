"""What all pages share: what is asked, what is known of who asks, and how a page is made of a template."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gavo_exec.access import Scope
from gavo_exec.control_views import JobLine, RDLine, StatusView
from gavo_exec.ports import Clock, Store
from gavo_exec.ports.face import Asked, Tokens
from gavo_exec.web import charts, words
from gavo_exec.web.doorkeeper import Doorkeeper, Visitor
from gavo_exec.web.snapshot import Kept

FOLDER: Final = Path(__file__).parent


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """All that the web is made of: ports, and how we are called.

    ``ask`` answers the daemon as it is for somebody of that name; ``open_store`` what is remembered, for a while.
    ``mask`` hides secrets; ``address`` is where people reach us ('' where that is not said), ``names`` all that we are
    called.  ``scopes`` has what the control API has, each with the scope that it needs, ``openapi`` describes it.
    """

    ask: Callable[[str], Asked]
    open_store: Callable[[], AbstractContextManager[Store]]
    tokens: Tokens
    clock: Clock
    mask: Callable[[str], str]
    names: tuple[str, ...]
    needs_token: bool
    scopes: dict[tuple[str, str], Scope]
    openapi: bytes
    address: str = ""
    host: str = ""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon and all jobs, at one moment."""

    status: StatusView
    jobs: tuple[JobLine, ...]
    states: tuple[words.State, ...]
    rds: tuple[RDLine, ...]

    @property
    def kind(self) -> str:
        """bad, warn or good: how all is."""
        kinds = {state.kind for state in self.states}
        if "bad" in kinds or self.status.broken_rds:
            return "bad"
        is_odd = self.status.mails_given_up or self.status.lag_seconds > LAG_SECONDS
        return "warn" if "warn" in kinds or is_odd else "good"


LAG_SECONDS: Final = 10.0
"""From when on a scheduler that is overdue is told of."""


class House:
    """Makes pages; for many threads."""

    def __init__(self, face: Face) -> None:
        self.face = face
        parts = urlsplit(face.address)
        self.prefix = parts.path.rstrip("/")
        self.is_secure = parts.scheme == "https"
        self.doorkeeper = Doorkeeper(
            face.tokens, face.clock, cookie="__Host-gavo-exec" if self.is_secure and not self.prefix else "gavo-exec"
        )
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "line": lambda text: words.line(face.mask(text)),
            "block": lambda text: words.block(face.mask(text)),
            "instant": words.instant,
            "seconds": words.seconds,
            "until": words.until,
            "kind": words.outcome_kind,
            "outcome": words.outcome_words,
            "words": lambda value: value.value.replace("_", " "),
        }
        self._environment.globals |= {
            "charts": charts,
            "prefix": self.prefix,
            "job_url": self.job_url,
            "run_url": self.run_url,
            "host": face.host,
        }
        self.overview = Kept(self._look)

    def _look(self) -> Overview:
        daemon = self.face.ask("")
        status, jobs, rds = daemon.status(), daemon.jobs(), daemon.rds()
        states = tuple(words.state_of(job, status.now) for job in jobs)
        return Overview(status=status, jobs=tuple(jobs), states=states, rds=tuple(rds))

    def job_url(self, key: str) -> str:
        """The address of a job's page."""
        return f"{self.prefix}/job?key={quote(key, safe='', errors='replace')}"

    def run_url(self, run_id: str) -> str:
        """The address of a run's page."""
        return f"{self.prefix}/run?id={quote(run_id, safe='', errors='replace')}"

    def page(self, template: str, request: Request, code: int = 200, /, **values: Any) -> Response:
        """A page; ``kind`` among the values says how all is."""
        visitor: Visitor = request.state.visitor
        query = request.url.query
        path = request.scope["path"]
        text = self._environment.get_template(template).render(
            visitor=visitor,
            may_operate=visitor.may(Scope.OPERATE),
            here=f"{self.prefix}{quote(path)}" + (f"?{query}" if query else ""),
            path=path,
            **values,
        )
        return Response(text.encode("utf-8", "replace"), code, media_type="text/html; charset=utf-8")

    def fault(self, request: Request, message: str, *, status: int, title: str = "That is not done") -> Response:
        """A page that says what is wrong."""
        return self.page("fault.html", request, status, message=message, title=title, kind="warn")

    def back(self, path: str) -> Response:
        """To another page, once something was done."""
        return RedirectResponse(f"{self.prefix}{path}", 303)

    def now(self) -> datetime:
        """The time."""
        return self.face.clock.now()
