"""Which addresses a webhook may reach: none of our own network's, however they are spelt."""

import ipaddress
import socket
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


class AddressRefused(OSError):
    """The webhook's host is, or resolves to, an address that webhooks may not reach."""

    def __init__(self) -> None:
        super().__init__(
            "webhooks do not go to private addresses; WATCHWORD_PRIVATE_WEBHOOKS=allow lets them"
        )


def is_public(address: str) -> bool:
    """Say whether an address is one of the open internet's."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.sixtofour or found.teredo:
            return False
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif found in NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
    return found.is_global and not found.is_multicast


class GuardedResolver(AbstractResolver):
    """Resolve names, and refuse them when any of their addresses is not public.

    The connection goes to the very addresses that were looked at, so no second answer of the
    name server's can lead it elsewhere.
    """

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found: list[ResolveResult] = await self._resolver.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise AddressRefused
        return found

    async def close(self) -> None:
        await self._resolver.close()


def refuse_private_literal(host: str) -> None:
    """Refuse a host that is an address itself: those are never resolved."""
    try:
        public = is_public(host.strip("[]"))
    except ValueError:
        return  # a name: the resolver looks at what it stands for
    if not public:
        raise AddressRefused


def resolver(*, private: bool) -> Any:
    """Return the resolver to connect with; None is aiohttp's own."""
    return None if private else GuardedResolver()
