"""Our own OpenAPI 3.1 document, made from the tables that the server itself goes by."""

from collections.abc import Iterable
from typing import Any

from watchword import __version__
from watchword.errors import InvalidParameter, NotFound, WatchwordError
from watchword.openapi.own import DEVELOPMENT, DEVELOPMENT_SCHEMAS, HEALTH
from watchword.openapi.pages import PAGE_SCHEMAS, PAGES
from watchword.openapi.pages import TAG as PAGES_TAG
from watchword.wire import errors
from watchword.wire.http import JSON_TYPE as JSON
from watchword.wire.parameters import Parameter
from watchword.wire.routes import PREFIXES, ROUTES, Route
from watchword.wire.schemas import ERROR, META, RESOURCES, WHOLE, Schema, many, record

FORM = "application/x-www-form-urlencoded"
DESCRIPTION = """\
Twilio's Verify v2 API as watchword answers it. Point an SDK at this server by its base URL.

Requests are forms, answers are JSON. Every error has the body of the schema `Error`; its `code`
is Twilio's. A 429 changes nothing, and a 503 may be tried again.
"""
SAYS: dict[type[WatchwordError], str] = {  # where the words depend on what was asked
    NotFound: "The requested resource … was not found",
    InvalidParameter: "Invalid parameter `…`: what it takes",
}


def document(*, development: bool) -> dict[str, Any]:
    """Return the document; with `development` it has the routes of `/dev` as well."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    paths |= PAGES
    paths["/healthz"] = {"get": HEALTH}
    if development:
        paths |= DEVELOPMENT
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "watchword",
            "version": __version__,
            "summary": "Phone verification that a team can own and prove",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name} for name in _tags(development)],
        "security": [{"account": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"account": {"type": "http", "scheme": "basic"}},
            "schemas": {
                **{name: RESOURCES[name] for name in sorted({r.resource for r in ROUTES})},
                "Meta": META,
                "Error": _error(),
                **PAGE_SCHEMAS,
                **(DEVELOPMENT_SCHEMAS if development else {}),
            },
            "responses": {"Error": ERROR_RESPONSE},
        },
    }


def error_table() -> list[tuple[int, int, str]]:
    """Return every error there is as (code, HTTP status, what it says), in the order of codes."""
    known = {
        (code, status, text or SAYS.get(error) or (error.__doc__ or "").partition("\n")[0])
        for error, (status, code, text) in errors.TABLE.items()
    }
    own = (errors.METHOD_NOT_ALLOWED, errors.TOO_LARGE, errors.SERVER_ERROR)
    known |= {(code, status, text) for status, code, text in own}
    return sorted(known)


def _tags(development: bool) -> list[str]:
    names = list(dict.fromkeys(route.resource for route in ROUTES))
    return [*names, PAGES_TAG, "Server", *(["Development"] if development else [])]


def _operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.resource],
        "summary": route.summary,
        "responses": {str(route.status): _answer(route), **_refusals()},
    }
    parameters = [_path_parameter(route, name) for name in _names(route.path)]
    if route.method == "GET":
        parameters += [_query_parameter(parameter) for parameter in route.parameters]
    elif route.parameters:
        found["requestBody"] = _form(route.parameters)
    if parameters:
        found["parameters"] = parameters
    return found


def _names(path: str) -> list[str]:
    return [part for part in path.split("/") if part.startswith("{")]


def _path_parameter(route: Route, name: str) -> dict[str, Any]:
    prefix = PREFIXES.get(route.resource if name == "{Sid}" else name)
    # A sid is taken with capital digits as well, and shown with small ones.
    pattern = {"pattern": f"^{prefix}[0-9a-fA-F]{{32}}$"} if prefix else {"minLength": 1}
    return {
        "name": name.strip("{}"),
        "in": "path",
        "required": True,
        "schema": {"type": "string", **pattern},
    }


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": _help(parameter),
        "schema": _value(parameter),
    }


def _form(parameters: Iterable[Parameter]) -> dict[str, Any]:
    listed = tuple(parameters)
    required = [parameter.name for parameter in listed if parameter.required]
    schema: Schema = {
        "type": "object",
        "properties": {p.name: _value(p) | {"description": _help(p)} for p in listed},
    }
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {FORM: {"schema": schema}}}


def _value(parameter: Parameter) -> Schema:
    schema = dict(parameter.kind.schema)
    return many(schema) if parameter.repeated else schema


def _help(parameter: Parameter) -> str:
    return f"{parameter.help} (not Twilio's)" if parameter.extension else parameter.help


def _answer(route: Route) -> dict[str, Any]:
    if route.status == 204:
        return {"description": "It is gone; there is no body"}
    shown: Schema = {"$ref": f"#/components/schemas/{route.resource}"}
    if route.key is not None:
        shown = record(**{route.key: many(shown), "meta": {"$ref": "#/components/schemas/Meta"}})
    return {"description": route.summary, "content": {JSON: {"schema": shown}}}


def _refusals() -> dict[str, Any]:
    statuses = sorted({status for _, status, _ in error_table()} - {405})
    return {str(status): {"$ref": "#/components/responses/Error"} for status in statuses}


def _error() -> Schema:
    lines = [f"| {code} | {status} | {text} |" for code, status, text in error_table()]
    table = "\n".join(["| code | status | what it says |", "|---|---|---|", *lines])
    schema = ERROR | {"description": f"What went wrong.\n\n{table}"}
    codes = sorted({code for code, _, _ in error_table()})
    return schema | {"properties": ERROR["properties"] | {"code": WHOLE | {"enum": codes}}}


ERROR_RESPONSE = {
    "description": "The request was refused, or could not be answered",
    "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
}
