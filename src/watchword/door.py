"""The door of `/v2`: a request's bytes become a question to the engine, whoever carried them."""

import logging
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from watchword.engine import Engine
from watchword.errors import Overloaded, StoreError
from watchword.record import Hidden, Record
from watchword.wire import errors
from watchword.wire.auth import read_basic
from watchword.wire.dialect import answer_async
from watchword.wire.http import Request, Response

DOOR = "door"  # what the application's lifespan calls it, for the server's protocol
PREFIX = "/v2/"
STARTS = "/Verifications"  # how the path of a start ends
CHECKS = "/VerificationCheck"
MAX_BODY = 16 * 1024  # bytes; the largest request of Verify is far below
MAX_FIELDS = 200
FULL = errors.respond(Overloaded(), "")  # made once: a flood asks for it thousands of times
TOO_LARGE = errors.body(*errors.TOO_LARGE)
FORM_TYPE = b"application/x-www-form-urlencoded"

logger = logging.getLogger("watchword.door")


class Asked(Record, frozen=True):
    """A request as it came: names of headers in lower case, a body that is whole."""

    method: str
    path: str
    query: bytes
    scheme: str
    headers: Hidden[Mapping[bytes, bytes]]
    body: Hidden[bytes] = b""


class Door:
    """Answer what is asked under `/v2`; there is an answer to everything, and never a fault."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts = engine.counts

    def refuses(self, asked: Asked) -> Response | None:
        """Return what a caller is told for whom there is no room, before anything is done."""
        starts = asked.path.endswith(STARTS)
        return FULL if self._engine.turns_away(_credentials(asked), starts=starts) else None

    async def answer(self, asked: Asked) -> Response:
        """Answer one request, gathered with those that arrive in the same turn of the loop."""
        self._counts.inside += 1
        try:
            return await answer_async(self._engine, _request(asked))
        except Overloaded as fault:  # the engine says now and then how many there were
            return errors.respond(fault, asked.path)
        except StoreError as fault:
            logger.warning("the store did not answer: %s", fault)
            return errors.respond(fault, asked.path)
        except Exception as fault:  # the outermost door: whatever it is, the caller gets a 500
            logger.exception("a request failed: %s", type(fault).__name__)
            return errors.body(*errors.SERVER_ERROR)
        finally:
            self._counts.inside -= 1

    def answered(self, asked: Asked, response: Response) -> None:
        """Count what a request was answered with, whoever found the answer."""
        counts = self._counts
        if asked.path.endswith(STARTS):
            counts.starts.add(response.status, response.code)
        elif asked.path.endswith(CHECKS):
            counts.checks.add(response.status, response.code)
        else:
            counts.others.add(response.status, response.code)


def _request(asked: Asked) -> Request:
    headers, body = asked.headers, asked.body
    is_form = headers.get(b"content-type", b"").split(b";")[0].strip().lower() == FORM_TYPE
    host = headers.get(b"host", b"localhost").decode("latin-1")
    return Request(
        method=asked.method,
        path=asked.path,
        base_url=f"{asked.scheme}://{host}",
        credentials=_credentials(asked),
        form=_fields(body) if is_form or not body else None,
        query=_fields(asked.query),
    )


def _credentials(asked: Asked) -> tuple[str, str] | None:
    return read_basic(asked.headers.get(b"authorization", b"").decode("latin-1"))


def _fields(encoded: bytes) -> dict[str, list[str]] | None:
    """Decode a form or a query; return None for one that cannot be."""
    fields: dict[str, list[str]] = {}
    if not encoded:
        return fields
    parts = encoded.split(b"&")
    if len(parts) > MAX_FIELDS:
        return None
    try:
        for part in parts:
            name, equals, value = part.partition(b"=")
            if name or equals:
                fields.setdefault(_unquoted(name), []).append(_unquoted(value))
    except UnicodeDecodeError:
        return None
    return fields


def _unquoted(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode()
