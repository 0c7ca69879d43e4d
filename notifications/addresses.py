"""Where a call may go that somebody else gave the address of: to public addresses only, however they are spelled.

A name is resolved once, every address that it has is judged, and the connection is made to one of these: a name that
answers otherwise a moment later reaches nobody inside (`docs/contract.md`, outgoing calls).
"""

import queue
import socket
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from models.ports import OutsideError, Transient

Resolve: TypeAlias = Callable[[str, int], tuple[str, ...]]
"""(host, port) -> its addresses, as text; raises `Transient` where the name says nothing."""

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
"""Limits of one call to the outside (`docs/contract.md`, limits)."""

_HTTPS = 443
_PORTS = {"http": 80, "https": _HTTPS}
_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that was ever given out; what lies outside is local, mapped, or of no use."""
_NOT_PUBLIC = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # the same
)
_RELAYS = IPv4Network("192.88.99.0/24")


class NotAllowed(OutsideError):
    """The address may not be called, now or later; the text is a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to call: the addresses to connect to, and the name that TLS and `Host` speak of."""

    host: str
    port: int
    is_tls: bool
    path: str
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """What the header `Host` says."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS["https" if self.is_tls else "http"] else f"{name}:{self.port}"


def is_public(text: str) -> bool:
    """Return whether an address belongs to the public internet, also where another one is written inside it."""
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and address not in _RELAYS
    inner = _embedded(address)
    if inner is not None:
        return is_public(str(inner))
    return address in _UNICAST and address.is_global and not any(address in network for network in _NOT_PUBLIC)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that is reached in truth: mapped, 6to4, or translated (NAT64)."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def resolved(host: str, port: int) -> tuple[str, ...]:
    """Ask the system for the addresses of a name; `Transient` when it has none or is silent for five seconds."""
    answers: queue.SimpleQueue[tuple[str, ...]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answers.put(tuple(dict.fromkeys(str(one[4][0]) for one in found)))

    threading.Thread(target=ask, daemon=True).start()  # the system's resolver knows no limit of its own
    try:
        found = answers.get(timeout=CONNECT_SECONDS)
    except queue.Empty:
        found = ()
    if not found:
        raise Transient("name_unknown")
    return found


def target_of(url: str, *, allow: Collection[str] = (), resolve: Resolve = resolved) -> Target:
    """Return where a URL leads: https on port 443 to public addresses, or what `allow` names as `host:port`.

    Raises `NotAllowed` (`url_wrong`, `user_info`, `not_https`, `port`, `address_not_public`), `Transient` for a name
    that nobody knows.
    """
    scheme, host, port, path = _parts(url)
    is_allowed = f"{host}:{port}" in allow
    if not is_allowed and scheme != "https":
        raise NotAllowed("not_https")
    if not is_allowed and port != _HTTPS:
        raise NotAllowed("port")
    addresses = resolve(host, port)
    if not is_allowed and not all(is_public(one) for one in addresses):
        raise NotAllowed("address_not_public")
    return Target(host=host, port=port, is_tls=scheme == "https", path=path, addresses=addresses)


def _parts(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path of a URL that says nothing else."""
    if not url.isprintable() or any(char.isspace() or char == "\\" for char in url):
        raise NotAllowed("url_wrong")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna" if not url.isascii() else "ascii").decode()
    except ValueError:
        raise NotAllowed("url_wrong") from None
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("user_info")
    if parts.scheme not in _PORTS or not host or port == 0 or not f"{parts.path}{parts.query}".isascii():
        raise NotAllowed("url_wrong")
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return parts.scheme, host, port or _PORTS[parts.scheme], path
