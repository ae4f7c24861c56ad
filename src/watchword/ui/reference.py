"""The API's reference: `/openapi.json` for programs, and `/docs` for people in development."""

from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchword.engine import Engine
from watchword.openapi.document import document, error_table
from watchword.openapi.reference import operations
from watchword.senders.inbox import inbox_of
from watchword.ui.look import HEADERS, render


def reference_routes(engine: Engine, *, development: bool) -> list[Route]:
    """Return the routes of the reference."""

    async def show_document(_request: Request) -> Response:
        return Response(_encoded(development), media_type="application/json", headers=HEADERS)

    async def show_page(request: Request) -> Response:
        described = document(development=True)
        return render(
            "reference.html",
            tags=[tag["name"] for tag in described["tags"]],
            operations=operations(described),
            errors=error_table(),
            has_inbox=inbox_of(engine.sender) is not None,
            credentials=engine.credentials,
            address=str(request.base_url).rstrip("/"),
        )

    pages = [Route("/docs", show_page)] if development else []
    return [Route("/openapi.json", show_document), *pages]


@lru_cache(maxsize=2)
def _encoded(development: bool) -> bytes:
    return msgspec.json.encode(document(development=development))
