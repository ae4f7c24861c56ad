"""The API's reference in Markdown, made from our OpenAPI document."""

from typing import Any

from watchword.openapi.document import document, error_table
from watchword.wire.schemas import Schema

HEAD = """\
# API reference

<!-- Written by `make docs` from the server's own tables. -->

The same as JSON: `GET /openapi.json`, or `watchword openapi`. In a browser: `/docs` on any server.

Requests are forms (`application/x-www-form-urlencoded`), answers are JSON, credentials are HTTP
Basic: an account sid and its auth token. Dates are UTC in the form `2026-03-01T12:00:00Z`.
"""


def reference_page() -> str:
    """Write the page."""
    described = document(development=True)
    parts = [HEAD]
    for tag in described["tags"]:
        parts.append(f"\n## {tag['name']}\n")
        parts += [
            _section(operation)
            for operation in operations(described)
            if operation["tag"] == tag["name"]
        ]
    rows = [f"| {code} | {status} | {text} |" for code, status, text in error_table()]
    parts.append("\n## Errors\n\n| Code | Status | What it says |\n|---|---|---|\n")
    return "".join(parts) + "\n".join(rows) + "\n"


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every operation with its method, path, parameters and answer, for a page to show."""
    return [
        {
            "name": found["operationId"],
            "tag": found["tags"][0],
            "method": method.upper(),
            "path": path,
            "summary": found["summary"],
            "parameters": _parameters(found),
            "status": next(iter(found["responses"])),
        }
        for path, item in described["paths"].items()
        for method, found in item.items()
    ]


def _parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    listed = [
        _row(parameter["name"], parameter["schema"], parameter["required"], parameter)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        listed += [
            _row(name, property_, name in schema.get("required", ()), property_)
            for name, property_ in schema["properties"].items()
        ]
    return listed


def _row(name: str, schema: Schema, required: bool, described: dict[str, Any]) -> dict[str, Any]:
    about = described.get("description") or schema.get("description", "")
    return {"name": name, "takes": _takes(schema), "required": required, "about": about}


def _takes(schema: Schema) -> str:
    """Say in a few words what a parameter may be."""
    if schema.get("type") == "array":
        return f"{_takes(schema['items'])}, repeated"
    if "enum" in schema:
        return ", ".join(f"{choice}" for choice in schema["enum"] if choice is not None)
    if schema.get("contentMediaType"):
        return "JSON"
    if "minimum" in schema and "maximum" in schema:
        return f"{_plain(schema['minimum'])} to {_plain(schema['maximum'])}"
    if schema.get("format") == "date-time":
        return "a moment"
    if schema.get("pattern", "").endswith("{32}$"):
        return f"a sid {schema['pattern'][1:3]}…"
    if "maxLength" in schema:
        return f"{schema.get('minLength', 0)} to {schema['maxLength']} characters"
    kind = schema.get("type", "any")
    return {"boolean": "true, false", "string": "text"}.get(str(kind), str(kind))


def _plain(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else str(number)


def _section(operation: dict[str, Any]) -> str:
    lines = [
        f"\n### {operation['name']}\n",
        f"`{operation['method']} {operation['path']}` → {operation['status']}\n",
        f"{operation['summary']}\n",
    ]
    if operation["parameters"]:
        lines.append("| Parameter | Takes | |\n|---|---|---|")
        lines += [_line(parameter) for parameter in operation["parameters"]]
        lines.append("")
    return "\n".join(lines)


def _line(parameter: dict[str, Any]) -> str:
    name = f"`{parameter['name']}`" + (" (required)" if parameter["required"] else "")
    return f"| {name} | {parameter['takes']} | {parameter['about']} |"
