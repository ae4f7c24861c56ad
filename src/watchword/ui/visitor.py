"""Who is at the hosted page: the browser, the phones it has confirmed before, its network."""

import hashlib
import ipaddress
import re
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from watchword.codes import same
from watchword.engine import Engine

TOKEN = re.compile(r"[0-9a-f]{32}")
KNOWN_PHONES = 5  # that one browser is remembered to have confirmed
REMEMBERED_SECONDS = 180 * 24 * 3600
IPV6_CLIENT_BITS = 64  # one customer's network; the rest of the address is his to choose


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser, by a random token in a cookie that only we read."""

    token: str
    device: str
    proofs: tuple[str, ...]
    secure: bool

    @classmethod
    def at(cls, request: Request, *, secure: bool) -> "Browser":
        """Read a request's cookies; a browser without them gets fresh ones."""
        token = request.cookies.get(_name("watchword-page", secure=secure), "")
        device, *proofs = request.cookies.get(_name("watchword-device", secure=secure), "").split(
            "."
        )
        return cls(
            token if TOKEN.fullmatch(token) else secrets.token_hex(16),
            device if TOKEN.fullmatch(device) else secrets.token_hex(16),
            tuple(proof for proof in proofs if TOKEN.fullmatch(proof))[-KNOWN_PHONES:],
            secure,
        )

    @property
    def fingerprint(self) -> str:
        """Return what a session keeps of the browser."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:32]

    def form_token(self, engine: Engine, sid: str) -> str:
        """Return what a form of ours carries, so that no other page's form is taken for one."""
        return engine.page_macs(f"form {sid} {self.token}")[0]

    def sent_form(self, engine: Engine, sid: str, token: str) -> bool:
        """Tell whether a form of this browser's page carries its token."""
        return any(same(token, mac) for mac in engine.page_macs(f"form {sid} {self.token}"))

    def lane(self, engine: Engine, service_sid: str, to: str) -> str:
        """Return the lane of a browser that has confirmed this phone before, else none.

        In a lane of its own a person is not reached by what strangers do to the number.
        """
        macs = engine.page_macs(self._claim(service_sid, to))
        known = any(same(proof, mac) for proof in self.proofs for mac in macs)
        return f" device {self.device}" if known else ""

    def keep(self, response: Response, *, modal: bool) -> None:
        """Have the browser bring its token again."""
        response.headers.append(
            "Set-Cookie", self._cookie("watchword-page", self.token, 24 * 3600, modal=modal)
        )

    def remember(
        self, response: Response, engine: Engine, service_sid: str, to: str, *, modal: bool
    ) -> None:
        """Have the browser prove from now on that it has confirmed this phone."""
        proof = engine.page_macs(self._claim(service_sid, to))[0]
        others = [other for other in self.proofs if other != proof]
        value = ".".join((self.device, *others[1 - KNOWN_PHONES :], proof))
        response.headers.append(
            "Set-Cookie", self._cookie("watchword-device", value, REMEMBERED_SECONDS, modal=modal)
        )

    def _claim(self, service_sid: str, to: str) -> str:
        return f"device {self.device} {service_sid} {to}"

    def _cookie(self, name: str, value: str, seconds: int, *, modal: bool) -> str:
        """Write a cookie; in a frame of another site it needs `None`, and its own partition."""
        cookie = f"{_name(name, secure=self.secure)}={value}; Path=/; HttpOnly; Max-Age={seconds}"
        if not self.secure:
            return f"{cookie}; SameSite=Lax"
        return f"{cookie}; Secure; " + ("SameSite=None; Partitioned" if modal else "SameSite=Lax")


def address_names(engine: Engine, request: Request, purpose: str = "send") -> tuple[str, ...]:
    """Name the network a request comes from, an IPv4 address or an IPv6 /64, for one purpose.

    These are the names under every key, newest first.
    """
    host = request.client.host if request.client else ""
    return engine.page_macs(f"{purpose} from {_network(host)}")


def _network(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, IPV6_CLIENT_BITS), strict=False))
    return str(address)


def _name(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name
