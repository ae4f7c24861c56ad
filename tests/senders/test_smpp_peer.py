"""SMPP against another's implementation: the server of the `smpp34` library, written in Rust."""

import asyncio
import socket
from typing import Any

import pytest

from tests.senders.fakes import CODE, message
from tests.senders.test_smpp import REPORT, make, until
from watchword.model import Delivery
from watchword.senders.base import Receipt, Trouble
from watchword.senders.provider import Notice

smpp34 = pytest.importorskip("smpp34", reason="the SMPP peer is left out: smpp34 has no wheel here")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def test_another_s_server_takes_refuses_and_reports() -> None:
    async def run() -> tuple[list[Receipt], list[Any], list[Notice]]:
        server = smpp34.Server("127.0.0.1", free := free_port())
        await server.start()
        notices: list[Notice] = []
        taken: list[Any] = []

        async def take(_name: str, notice: Notice) -> None:
            notices.append(notice)

        async def serve() -> None:
            while len(taken) < 2:
                event = await server.next()
                if isinstance(event, smpp34.Esme):
                    esme = event
                elif isinstance(event, smpp34.SubmitSmEvent):
                    taken.append(event)
                    if len(taken) == 1:
                        event.accept("M1")
                    else:
                        event.reject(smpp34.ESME_RTHROTTLED)
            report = REPORT % (b"M1", b"DELIVRD")
            await esme.deliver_sm("Acme", report, source_addr="33612345678", esm_class=4)

        sender = make(free)
        sender.listen(take)
        serving = asyncio.create_task(serve())
        receipts = [await sender.send(message()), await sender.send(message())]
        await serving
        await until(lambda: bool(notices))
        sender.close()
        await asyncio.sleep(0.05)
        await server.stop()
        return receipts, taken, notices

    (sent, refused), taken, (notice,) = asyncio.run(run())

    assert (sent.status, sent.message_id) == (Delivery.SENT, "M1")
    assert (refused.status, refused.trouble) == (Delivery.FAILED, Trouble.BUSY)
    assert taken[0].destination_addr == "33612345678"
    assert taken[0].short_message.decode().endswith(CODE)
    assert (notice.message_id, notice.status) == ("M1", Delivery.DELIVERED)
