"""The coverage page: which of Twilio's operations answer, and which do not yet."""

from watchword.wire.routes import ROUTES
from watchword.wire.specification import OPERATIONS

HEAD = """\
# Coverage

<!-- Written by `make docs` from the route table. -->

Twilio's Verify v2 specification has {total} operations. {answered} of them answer here, with every
parameter and every key; the other {missing} answer 404 with code 20404 until they come.

| Operation | Request | |
|---|---|---|
"""


def answered() -> set[str]:
    """Return the names of the operations that answer."""
    return {route.operation for route in ROUTES}


def coverage_page() -> str:
    """Write the page."""
    served = answered()
    lines = [
        f"| {operation} | `{method} {path}` | {'answers' if operation in served else 'not yet'} |"
        for method, path, operation in OPERATIONS
    ]
    head = HEAD.format(
        total=len(OPERATIONS), answered=len(served), missing=len(OPERATIONS) - len(served)
    )
    return head + "\n".join(lines) + "\n"
