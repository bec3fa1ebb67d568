"""The OpenAPI document of the control socket, derived from its routes and their types."""

from http import HTTPStatus
from typing import Any

import msgspec

from gavo_exec.control_views import Refusal
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
            "description": "HTTP on the Unix socket control.sock in the state directory, for its owner and root.",
        },
        "paths": paths,
        "components": {"schemas": components},
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
