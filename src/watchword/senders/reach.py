"""Can a provider be reached: look up its name, connect, shake hands, bind; send nothing."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from watchword.senders.apprise import AppriseSender
from watchword.senders.base import Message, Sender
from watchword.senders.http import HttpSender
from watchword.senders.smpp import SmppSender
from watchword.senders.smpp_link import NotSent
from watchword.senders.smtp import SmtpSender

SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Reach:
    """What a connection came to."""

    address: str
    ok: bool
    found: str


async def reach(sender: Sender, sample: Message) -> Reach:
    """Connect to the sender's provider and hang up."""
    if isinstance(sender, AppriseSender):
        return Reach("Apprise", ok=True, found="knows the URL; send-test tries it")
    host, port, safe = _where(sender, sample)
    address = f"{host}:{port}"
    begun = time.monotonic()
    try:
        async with asyncio.timeout(SECONDS):
            if isinstance(sender, SmppSender):
                if refused := await sender.look():
                    return Reach(address, ok=False, found=refused)
            else:
                context = ssl.create_default_context() if safe else None
                _, writer = await asyncio.open_connection(host, port, ssl=context)
                writer.close()
    except TimeoutError:
        return Reach(address, ok=False, found=f"no answer in {SECONDS:.0f} s; is it the firewall?")
    except ssl.SSLError as fault:
        return Reach(address, ok=False, found=f"no safe connection: {fault.reason}")
    except NotSent:
        return Reach(address, ok=False, found="it hangs up before the bind; is it an SMPP port?")
    except OSError as fault:
        return Reach(address, ok=False, found=f"no connection: {fault.strerror or fault}")
    return Reach(address, ok=True, found=f"connected in {(time.monotonic() - begun) * 1000:.0f} ms")


def _where(sender: Sender, sample: Message) -> tuple[str, int, bool]:
    if isinstance(sender, SmtpSender | SmppSender):
        return sender.address
    if not isinstance(sender, HttpSender):
        raise TypeError(f"{sender.name} is not reached over the network")
    parts = urlsplit(sender.provider.request(sample, None).url)
    safe = parts.scheme == "https"
    return parts.hostname or "", parts.port or (443 if safe else 80), safe
