"""A relay in front of a server, which counts how often its clients had to wait for an answer."""

import contextlib
import selectors
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(slots=True)
class _End:
    """One end of a connection, and who spoke last on it."""

    socket: socket.socket
    is_client: bool
    other: "_End | None" = None
    spoke_last: bool = False


class Relay:
    """Pass on what clients and a server say to each other.

    A *turn* is what a client says, in however many statements, until the server answers it.
    """

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.turns = 0
        self.is_silent = False  # then nothing is passed on any more
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._relay, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._listening.close()

    def _relay(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            while not self._ended.is_set():
                for key, _ in selector.select(0.05):
                    if key.data is None:
                        self._connect(selector)
                    else:
                        self._pass_on(key.data, selector)
            for key in list(selector.get_map().values()):
                if key.data is not None:
                    key.data.socket.close()

    def _connect(self, selector: selectors.BaseSelector) -> None:
        client = _End(self._listening.accept()[0], is_client=True)
        server = _End(socket.create_connection(self._server), is_client=False, other=client)
        client.other = server
        for end in (client, server):
            end.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(end.socket, selectors.EVENT_READ, end)

    def _pass_on(self, end: _End, selector: selectors.BaseSelector) -> None:
        assert end.other is not None
        if end.socket.fileno() < 0:
            return  # the other end was closed in this same turn, and this one with it
        try:
            said = end.socket.recv(65536)
        except OSError:
            said = b""
        if not said:
            for each in (end, end.other):
                selector.unregister(each.socket)
                each.socket.close()
            return
        self.turns += end.is_client and not end.spoke_last
        end.spoke_last, end.other.spoke_last = True, False
        if not self.is_silent:
            with contextlib.suppress(OSError):  # its end is heard of next
                end.other.socket.sendall(said)
