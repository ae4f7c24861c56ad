"""A provider on this machine: takes messages over kept connections and says yes at once."""

import argparse
import asyncio
from typing import cast

import uvloop

from benchmarks.load import is_whole

taken = 0


class Hook(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio

    def data_received(self, data: bytes) -> None:
        global taken
        self._received += data
        if self._transport is None or not is_whole(self._received):
            return
        taken += self._received.startswith(b"POST")
        self._received = b""
        body = b'{"id":"%d"}' % taken
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Hook, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int)
    uvloop.run(serve(arguments.parse_args().port))
