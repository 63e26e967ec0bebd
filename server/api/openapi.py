"""``/openapi.json``: the whole interface, from the routes and from the types."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus

import msgspec
from aiohttp import web

from server.api.guard import Access, Handler
from server.api.operations import JSON, OPERATIONS, PATHS, Operation, Parameter
from shared.protocol import Problem

__all__ = ["ROUTES", "Route", "described", "openapi"]

Route = tuple[str, str, Access, Handler]
Json = dict[str, object]

ROUTES: web.AppKey[tuple[Route, ...]] = web.AppKey("routes", tuple)

_SENT: dict[str, Json] = {
    JSON: {"type": "array", "items": {"type": "object"}},
    "text/csv": {"type": "string"},
    "application/x-ndjson": {"type": "string"},
    "application/octet-stream": {"type": "string"},
}
_PROBLEM = "application/problem+json"
_REFERENCE = "#/components/schemas/{name}"
_PARTS = re.compile(r"\{(\w+)\}")


async def openapi(request: web.Request) -> web.Response:
    """``GET /openapi.json``: this description."""
    return web.Response(
        body=_written(request.app[ROUTES]), content_type="application/json"
    )


@cache
def _written(routes: tuple[Route, ...]) -> bytes:
    return msgspec.json.encode(described(routes))


def described(routes: Iterable[Route]) -> Json:
    """Describe these routes as an OpenAPI 3.1 document."""
    types = [kind for one in OPERATIONS.values() for kind in (one.answer, one.body)]
    structs = {
        kind.__name__: kind for kind in (*types, Problem) if kind and kind is not dict
    }
    _, schemas = msgspec.json.schema_components(
        [kind for _, kind in sorted(structs.items())],
        schema_hook=lambda _: {"description": "any JSON value"},
        ref_template=_REFERENCE,
    )
    schemas["Remark"]["minProperties"] = 1
    paths: dict[str, Json] = {}
    for method, path, access, handler in routes:
        operation = OPERATIONS.get((method, path))
        if operation is not None:
            said = _operation(path, access, handler, operation)
            paths.setdefault(path, {})[method.lower()] = said
    return {
        "openapi": "3.1.0",
        "info": {"title": "Scantrail", "version": "1", "description": _SAYS},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


_SAYS = (
    "Where each package is, since when, and on what evidence. Times are RFC 3339 in "
    "UTC; keys are percent-encoded in paths; what goes wrong is an RFC 9457 problem."
)


def _operation(
    path: str, access: Access, handler: Handler, operation: Operation
) -> Json:
    said: Json = {
        "operationId": f"{handler.__module__.rpartition('.')[2]}_{handler.__name__}",
        "summary": _summary(handler),
        "description": f"For: {access.value}.",
        "parameters": [
            *(_part(name) for name in _PARTS.findall(path)),
            *(_parameter(one) for one in operation.takes),
        ],
        "responses": _responses(operation),
    }
    if operation.body is not None or operation.sent:
        said["requestBody"] = _body(operation)
    if access is not Access.ANYBODY:
        said["security"] = [{"bearer": []}]
    return said


def _summary(handler: Handler) -> str:
    first = (handler.__doc__ or "").partition("\n")[0]
    return first.partition("``: ")[2].rstrip(".") or first


def _part(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": PATHS[name]}


def _parameter(one: Parameter) -> Json:
    return {
        "name": one.name,
        "in": "header" if one.header else "query",
        "required": one.required,
        "description": one.says,
        "schema": one.schema,
    }


def _body(operation: Operation) -> Json:
    content: Json = {media: {"schema": _SENT[media]} for media in operation.sent}
    if operation.body is not None:
        content[JSON] = {"schema": _schema(operation.body)}
    return {"required": not operation.optional, "content": content}


def _schema(kind: type) -> Mapping[str, object]:
    if kind is dict:
        return {"type": "object"}
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def _responses(operation: Operation) -> Json:
    content: Json = {media: {"schema": {}} for media in operation.media}
    if operation.answer is not None:
        content[JSON] = {"schema": _schema(operation.answer)}
    status = HTTPStatus(operation.status)
    answer: Json = {"description": status.phrase}
    if content:
        answer["content"] = content
    found: Json = {
        str(status.value): answer,
        "default": {
            "description": "What went wrong, and what to do",
            "content": {_PROBLEM: {"schema": _schema(Problem)}},
        },
    }
    if operation.tagged:
        found["304"] = {"description": "It is as the ETag of If-None-Match says"}
    return found
