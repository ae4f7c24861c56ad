"""The routes beside Twilio's in our document: the health check, and `/dev` in development."""

from collections.abc import Mapping
from typing import Any

from watchword.development.controls import FURTHEST, LONGEST_DELAY, SenderFault, StoreFault
from watchword.wire.http import JSON_TYPE as JSON
from watchword.wire.schemas import TEXT, WHOLE, Schema, many, maybe, record, words


def _own(
    operation: str,
    tag: str,
    summary: str,
    shown: Schema | None,
    *,
    body: Schema | None = None,
    query: Mapping[str, Schema] | None = None,
) -> dict[str, Any]:
    """Describe a route of our own."""
    answer: dict[str, Any] = {"description": summary}
    if shown is not None:
        answer["content"] = {JSON: {"schema": shown}}
    found: dict[str, Any] = {
        "operationId": operation,
        "tags": [tag],
        "summary": summary,
        "security": [],
        "responses": {"200" if shown is not None else "204": answer},
    }
    if body is not None or query:
        found["responses"]["400"] = {"$ref": "#/components/responses/Error"}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    if query:
        found["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in query.items()
        ]
    return found


_STATUS = record(status=words("ok", "unavailable"))
HEALTH = _own("Health", "Server", "Say whether the server and its store answer.", _STATUS)
HEALTH["responses"]["503"] = {
    "description": "The store does not answer",
    "content": {JSON: {"schema": record(status=words("unavailable"), reason=TEXT)}},
}

_TO: Schema = TEXT | {"description": "only the messages to this number"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_REF = "#/components/schemas/"
_FAULTS: dict[str, Schema] = {
    "sender": maybe(words(*SenderFault)),
    "delay_seconds": {"type": "number", "minimum": 0, "maximum": LONGEST_DELAY},
    "store": maybe(words(*StoreFault)),
}
DEVELOPMENT_SCHEMAS: dict[str, Schema] = {
    "Message": record(
        **{"id": WHOLE, "to": TEXT, "from": TEXT, "channel": TEXT, "body": TEXT, "code": TEXT},
        created_at=_MOMENT,
    ),
    "Clock": record(
        now={"type": "string", "format": "date-time"}, offset_seconds={"type": "number"}
    ),
    "Faults": record(**_FAULTS),
}
_CLOCK: Schema = {"$ref": f"{_REF}Clock"}
_SHOWN_FAULTS: Schema = {"$ref": f"{_REF}Faults"}
DEVELOPMENT: dict[str, dict[str, Any]] = {
    "/dev/inbox/messages": {
        "get": _own(
            "ReadInbox",
            "Development",
            "List the messages, newest first; wait for one where none is there yet.",
            record(messages=many({"$ref": f"{_REF}Message"})),
            query={
                "to": _TO,
                "after": WHOLE | {"minimum": 0, "description": "only those with a greater id"},
                "wait": {
                    "type": "number",
                    "minimum": 0,
                    "description": "seconds to wait for the first one, 30 at most",
                },
            },
        ),
        "delete": _own(
            "ClearInbox", "Development", "Forget the messages.", None, query={"to": _TO}
        ),
    },
    "/dev/clock": {
        "get": _own("ReadClock", "Development", "Tell the time.", _CLOCK),
        "post": _own(
            "TurnClock",
            "Development",
            "Turn the clock on, for every process of this installation.",
            _CLOCK,
            body=record(
                advance_seconds={
                    "type": "number",
                    "minimum": 0,
                    "maximum": FURTHEST.total_seconds(),
                }
            ),
        ),
        "delete": _own("ResetClock", "Development", "Tell the real time again.", _CLOCK),
    },
    "/dev/faults": {
        "get": _own("ReadFaults", "Development", "Say which faults are on.", _SHOWN_FAULTS),
        "put": _own(
            "SetFaults",
            "Development",
            "Switch these faults on and all others off.",
            _SHOWN_FAULTS,
            body={"type": "object", "properties": _FAULTS, "additionalProperties": False},
        ),
        "delete": _own("ClearFaults", "Development", "Switch every fault off.", _SHOWN_FAULTS),
    },
}
