"""The same server with nothing behind it: a form is read and a fixed answer given.

What it answers in a second is the ceiling of everything that is served this way.
"""

import argparse
from typing import Any

from watchword import serve

ANSWER = b"{" + b'"sid":"VE00000000000000000000000000000000",' * 20 + b'"status":"pending"}'
HEADERS = [
    (b"content-length", str(len(ANSWER)).encode()),
    (b"content-type", b"application/json"),
]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request alike."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 201, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


def make() -> Any:
    """Return the application, as the server's workers ask for it."""
    return app


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int)
    arguments.add_argument("--workers", type=int)
    given = arguments.parse_args()
    serve.serve_app("benchmarks.static:make", "127.0.0.1", given.port, given.workers)
