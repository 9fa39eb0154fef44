"""Calls to the outside world, guarded: an address that somebody typed must not become a way into the house.

The name is resolved once, every address it stands for is checked, and the connection goes to the checked address
itself, so that a name cannot change its meaning in between. Redirects are not followed. Only https, unless the
settings allow http; private, loopback, link-local and metadata addresses only where the settings name their network.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

LONGEST_S = 10.0
LARGEST_SENT = 256 * 1024
LARGEST_READ = 64 * 1024
CHUNK = 8192
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class NotAllowed(Exception):
    """The address is refused; the message says why and what to do."""


@dataclass(frozen=True)
class Answer:
    """What the other side said; of a long body only the beginning."""

    status: int
    body: bytes


def check_url(url: str, *, inside: bool = True) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path of an address that may be called, as far as its text tells. `inside`: whether
    what the settings allow beside public addresses by https is allowed here.

    Raises:
        NotAllowed.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed(_("This is not an address. Write it as https://example.com/path.")) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or any(ord(ch) < 33 or ord(ch) > 126 for ch in url):
        raise NotAllowed(_("This is not an address. Write it as https://example.com/path."))
    if parts.scheme == "http" and not (inside and settings.WEBHOOK_ALLOW_HTTP):
        raise NotAllowed(_("Only https addresses are called. An administrator of the server can allow http."))
    if parts.username or parts.password:
        raise NotAllowed(_("Leave name and password out of the address: it is shown to others."))
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path


def is_allowed(address: str, *, inside: bool = True) -> bool:
    """Return whether this IP address may be called: a public one, or (`inside`) one in a network that the settings
    name."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or _behind_nat64(ip) or ip
    networks = settings.WEBHOOK_ALLOWED_NETWORKS if inside else ()
    if any(ip in network for network in networks if network.version == ip.version):
        return True
    # Reserved and site-local: outdated ranges that still lead inside where a network kept them.
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or getattr(ip, "is_site_local", False))


def _behind_nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a translator (RFC 6052) would connect to."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None


def resolve(host: str, port: int, *, inside: bool = True) -> str:
    """Return the address to connect to. All that the name stands for must be allowed, not only one.

    Raises:
        NotAllowed, OSError: the name is not known.
    """
    found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if not found or not all(is_allowed(address, inside=inside) for address in found):
        raise NotAllowed(
            _("%(host)s is an address inside a network. An administrator of the server can allow that network.")
            % {"host": host}
        )
    return found[0]


def post(url: str, body: bytes, headers: Mapping[str, str], *, inside: bool = True) -> Answer:
    """Send the body by POST and return the answer, whatever its status. Takes ten seconds at most from the moment at
    which the name is resolved and the line stands, however the other side spreads its bytes. `inside`: see `check_url`.

    Raises:
        NotAllowed: the address may not be called, or the body is too large.
        OSError, http.client.HTTPException: nobody answered as a web server does, or not in time.
    """
    scheme, host, port, path = check_url(url, inside=inside)
    if len(body) > LARGEST_SENT:
        raise NotAllowed(_("The message is too large to be sent."))
    address = resolve(host, port, inside=inside)
    line = socket.create_connection((address, port), timeout=LONGEST_S)
    until = time.monotonic() + LONGEST_S
    try:
        if scheme == "https":
            context = ssl.create_default_context()
            line = context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
        with _cut_at(until, line):
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            connection = http.client.HTTPConnection(host, port)
            connection.sock = line
            connection.request("POST", path, body=body, headers={"Connection": "close", **headers})
            response = connection.getresponse()
            return Answer(response.status, _read(response, line, until))
    finally:
        line.close()


@contextmanager
def _cut_at(until: float, line: socket.socket) -> Iterator[None]:
    """End the line at the instant. The socket's own timeout begins anew with each byte, so that a side which sends one
    every few seconds would hold a worker for as long as it likes.

    Raises:
        TimeoutError: instead of whatever came of the cut.
    """

    def cut() -> None:
        with suppress(OSError):
            # Of the plain socket: that of TLS would go on reading what comes as if it were not encrypted.
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    timer = threading.Timer(max(until - time.monotonic(), 0.0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= until:
            raise TimeoutError("timed out") from error
        raise
    finally:
        timer.cancel()


def _read(response: http.client.HTTPResponse, line: socket.socket, until: float) -> bytes:
    """Return the beginning of the body; who answers drop by drop is not waited for longer than anybody else."""
    read = b""
    while len(read) < LARGEST_READ and (left := until - time.monotonic()) > 0:
        line.settimeout(left)
        piece = response.read1(CHUNK)
        if not piece:
            break
        read += piece
    return read[:LARGEST_READ]
