"""Where the hosted page may lead back to, and the address it has itself."""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from watchword.config import Settings
from watchword.errors import InvalidParameter

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses an operator has configured; none of them is ever taken from a request.

    In development, apps on this very machine may be returned to without being listed.
    """

    public_url: str = ""
    return_urls: tuple[str, ...] = ()
    development: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "Places":
        """Return the places that the settings name."""
        return cls(settings.public_url, settings.return_urls, not settings.production)

    def own(self, base_url: str) -> str:
        """Return our own address: the configured one, or in development where we were asked."""
        if self.public_url:
            return self.public_url
        if self.development:
            return base_url.rstrip("/")
        raise InvalidParameter("ReturnUrl", "the hosted page needs WATCHWORD_PUBLIC_URL to be set")

    def allow(self, url: str) -> str:
        """Return a return URL that is on the list; refuse every other with InvalidParameter."""
        parts = _split(url)
        if any(_is_under(parts, urlsplit(allowed)) for allowed in self.return_urls):
            return url
        if self.development and not self.return_urls and parts.hostname in LOOPBACK:
            return url
        raise InvalidParameter("ReturnUrl", "it is not one of WATCHWORD_RETURN_URLS")


def origin_of(url: str) -> str:
    """Return an address's origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def with_parameter(url: str, name: str, value: str) -> str:
    """Return an address with one parameter more, and none of that name besides."""
    parts = urlsplit(url)
    others = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != name]
    return urlunsplit(parts._replace(query=urlencode([*others, (name, value)]), fragment=""))


def _split(url: str) -> SplitResult:
    clean = url.isascii() and url.isprintable() and "\\" not in url and " " not in url
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError as fault:
        raise InvalidParameter("ReturnUrl", "it cannot be read") from fault
    if (
        not clean
        or not usable
        or len(url) > LONGEST_URL
        or "@" in parts.netloc
        or ";" in parts.netloc
    ):
        raise InvalidParameter("ReturnUrl", "it is not a plain address")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise InvalidParameter("ReturnUrl", "it begins with https://")
    return parts


def _is_under(parts: SplitResult, allowed: SplitResult) -> bool:
    """Tell whether an address lies at or below an allowed one; `..` leads nowhere."""
    same_origin = (parts.scheme, parts.hostname, parts.port) == (
        allowed.scheme,
        allowed.hostname,
        allowed.port,
    )
    path, base = parts.path or "/", allowed.path.rstrip("/")
    climbs = ".." in path.replace("%2e", ".").replace("%2E", ".").split("/")
    return same_origin and not climbs and (path == base or path.startswith(f"{base}/"))
