"""The OpenAPI document of the control socket, derived from its routes and their types."""

from http import HTTPStatus
from typing import Any, get_args

import msgspec

from gavo_exec.control_views import Refusal
from gavo_exec.json_views import (
    CodeLinesView,
    DiagnosticView,
    DueView,
    ExecuteView,
    LimitView,
    ListedJob,
    PlaceView,
    PolicyView,
    RunView,
)
from gavo_exec.services.control.routes import ROUTES, Route

_REFUSALS = {
    "400": "What was sent is not what is to be sent.",
    "404": "There is nothing of that name.",
    "409": "It is not done; the text says what stands against it.",
}


def openapi(version: str) -> dict[str, Any]:
    """The document, for this version of the program."""
    types = [kind for route in ROUTES for kind in (route.takes, route.answers) if kind is not None]
    schemas, components = msgspec.json.schema_components([*types, Refusal], ref_template="#/components/schemas/{name}")
    *found_here, refusal = schemas
    found = iter(found_here)
    paths: dict[str, Any] = {}
    for route in ROUTES:
        takes = next(found) if route.takes is not None else None
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, takes=takes, answers=next(found), refusal=refusal
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The control socket of gavo-exec",
            "version": version,
            "description": "HTTP on the Unix socket control.sock in the state directory, for its owner and root; "
            "and, with `web`, on a port, for those who have tokens.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token, over the network; the socket itself asks for none.",
                }
            },
        },
    }


def _operation(
    route: Route, *, takes: dict[str, Any] | None, answers: dict[str, Any], refusal: dict[str, Any]
) -> dict[str, Any]:
    """One thing that can be asked."""
    media = "application/x-ndjson" if route.streams else "application/json"
    description = "One object a line, as things happen." if route.streams else HTTPStatus(route.status).phrase
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{route.path.removeprefix('/v1').replace('/', '_')}",
        "summary": route.summary,
        "security": [{"token": [route.scope.value]}],
        "responses": {
            str(route.status): {"description": description, "content": {media: {"schema": answers}}},
            **{
                status: {"description": words, "content": {"application/json": {"schema": refusal}}}
                for status, words in _REFUSALS.items()
            },
        },
    }
    if takes is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": takes}}}
    if route.parameters:
        operation["parameters"] = [
            {"name": each.name, "in": "query", "description": each.description, "schema": {"type": "string"}}
            for each in route.parameters
        ]
    return operation


_ABOUT = """\
# The control socket

<!-- Derived from gavo_exec/services/control/routes.py and gavo_exec/control_views.py: change it there. -->

A daemon listens on the Unix socket `control.sock` in its state directory; only its user and root can reach it. It
speaks HTTP, and bodies are JSON. This is what `status`, `list`, `trigger`, `tail`, `pause`, `resume`, `cancel`,
`reload` and `stop` use; with `--json` they print what stands here. `curl` can ask, too:

```
curl --unix-socket /var/lib/gavo-exec/control.sock http://localhost/v1/status
```

Paths begin with the version, `v1`: in it, fields keep their names, types and meanings. Fields may be added at any time,
and so may values of `reason` and `outcome`. What is not done is answered by 400 (what was sent is not what is to be
sent), 404 (there is nothing of that name) or 409 (something stands against it), with a [refusal](#refusal).

With `gavo-exec serve --web` all this can be asked over the network as well, with a token that has the scope which
stands beside each: see [How to see it](../howto/see-it.md).

`schemas/openapi.json` has all this as an OpenAPI document.
"""


def page() -> str:
    """The page about the socket, in Markdown."""
    types = [kind for route in ROUTES for kind in (route.takes, route.answers) if kind is not None]
    _, components = msgspec.json.schema_components([*types, Refusal])
    lines = _ABOUT.splitlines()
    for route in ROUTES:
        query = (" or " if route.streams else " and ").join(f"`{each.name}=...`" for each in route.parameters)
        lines += ["", f"## {route.method} {route.path}", "", f"{route.summary}."]
        lines += ["", *([f"- query: {query}"] if query else [])]
        lines += [f"- scope: {route.scope.value}"]
        lines += [f"- takes: {_link(route.takes)}"] if route.takes is not None else []
        many = "lines, each of them a " if route.streams else ""
        lines += [f"- answers {route.status}: {many}{_link(route.answers)}"]
    for name, component in components.items():
        if name not in _OF_OTHER_PAGES and component.get("type") == "object":
            fields = component["properties"].items()
            lines += ["", f"## {name}", "", component["description"]]
            lines += ["", "| Field | Meaning |", "|---|---|"] if fields else []
            lines += [f"| `{field}` | {described.get('description', '')} |" for field, described in fields]
    return "\n".join(lines) + "\n"


_ELSEWHERE = {
    "ListedJob": "json.md#a-job",
    "RunView": "json.md#a-run",
    "DueView": "json.md#a-due-instant",
}
"""The types that the page of what --json prints has, which are asked for here."""

_OF_OTHER_PAGES = frozenset(
    kind.__name__
    for kind in (
        CodeLinesView,
        DiagnosticView,
        DueView,
        ExecuteView,
        LimitView,
        ListedJob,
        PlaceView,
        PolicyView,
        RunView,
    )
)


def _link(kind: Any) -> str:
    """A type, with where the page has it."""
    item = get_args(kind)
    name = (item[0] if item else kind).__name__
    words = f"[{name}](#{name.lower()})" if name not in _ELSEWHERE else f"[{name}]({_ELSEWHERE[name]})"
    return f"list of {words}" if item else words
