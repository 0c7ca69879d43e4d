"""Where a visitor comes from, and whether encrypted: a proxy is believed what it says of it only if it is named."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from web.guard import App, Receive, Scope, Send

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address
FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"


class Proxies:
    """Takes the word of trusted proxies (`PILOTWAY_TRUSTED_PROXIES`) and of nobody else."""

    def __init__(self, app: App, *, trusted: Sequence[Network]) -> None:
        self.app, self.trusted = app, tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, as it was before the proxies that are trusted."""
        if scope["type"] == "http" and self._is_trusted(_peer(scope)):
            scope = {**scope, **self._before(scope)}
        await self.app(scope, receive, send)

    def _before(self, scope: Scope) -> Scope:
        """Return address and scheme as the outermost trusted proxy saw them.

        Each proxy adds what it saw behind what it was told: read from the end, the first address that is no proxy of
        ours is the visitor's, and whatever stands before it is the visitor's own invention.
        """
        found: Scope = {}
        hops = _said(scope, FOR)
        for hop in reversed(hops):
            known = _address(hop)
            if known is None:
                break
            found["client"] = (str(known), 0)
            if not self._is_trusted(known):
                break
        schemes = _said(scope, PROTO)
        if schemes and schemes[-1].lower() in ("http", "https"):
            found["scheme"] = schemes[-1].lower()
        return found

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.trusted)


def _said(scope: Scope, name: bytes) -> list[str]:
    values: Iterable[bytes] = (value for key, value in scope["headers"] if key == name)
    return [part.strip() for value in values for part in value.decode("latin-1").split(",") if part.strip()]


def _peer(scope: Scope) -> Address | None:
    client = scope.get("client")
    return _address(client[0]) if client else None


def _address(text: str) -> Address | None:
    """Return an address, without port or brackets; an IPv4 one that is written as IPv6 as what it is."""
    host = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    host = host.partition(":")[0] if host.count(":") == 1 else host
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
