"""A QR code that opens a page on a real phone, and the address that phone can reach us at."""

import io
import socket

import segno
from starlette.requests import Request

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "testserver"})  # noqa: S104
ELSEWHERE = ("192.0.2.1", 9)  # TEST-NET-1: a UDP socket aimed there sends nothing


def qr_svg(text: str) -> str:
    """Draw `text` as a QR code: an SVG to put into a page, dark on light in every theme."""
    drawn = io.BytesIO()
    segno.make(text, micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=2, light="white"
    )
    return drawn.getvalue().decode()


def address_for_phones(request: Request) -> tuple[str, bool]:
    """Return this server's address on its network, and whether a phone reaches it as it is."""
    host, port = request.url.hostname or "", request.url.port
    if host not in LOOPBACK:
        return f"{request.url.scheme}://{request.url.netloc}", True
    lan = _own_address()
    return f"{request.url.scheme}://{lan}" + (f":{port}" if port else ""), False


def _own_address() -> str:
    """Ask the routing table which of our addresses faces the network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
