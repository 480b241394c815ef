"""Which addresses HTTP out may reach, by who gave the address. Pure: `http.py` asks it for every socket it opens.

A name can resolve to anything and a number can be spelt in many ways, so a URL is judged twice: its form, and an
address that it spells out, when it is given to us (`check_url`); its address when a socket is about to connect
(`allowed`).
"""

import re
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from paydesk.errors import Refusal
from paydesk.world import Reach

Network = IPv4Network | IPv6Network
URL_CHARACTERS_MAX = 2048

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_THIS_MACHINE = ("127.0.0.1", "::1")  # What `localhost` and all below it are, whatever a resolver says (RFC 6761).


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks separated by commas, as in `10.0.0.0/8, fd00::/8`. ValueError names the part that is none."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


# IANA's special-purpose registries (RFC 6890 and after) with multicast and the deprecated forms. Written out, because
# `is_global` lets the NAT64 and 6to4 spellings of 169.254.169.254 through.
NOT_FOR_MERCHANTS = parse_networks(
    "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.0.2.0/24, "
    "192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4, "
    "::/96, ::1/128, ::ffff:0:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48, 100::/64, 2001::/23, 2001:db8::/32, 2002::/16, "
    "3fff::/20, 5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8"
)

CLOUD_HOST = IPv4Address("168.63.129.16")
"""Azure's host answers there from inside every virtual machine, on an address that looks public."""


def allowed(
    address: str, port: int, reach: Reach, allow: Sequence[Network], own: Collection[tuple[str, int]] = ()
) -> bool:
    """Whether a socket may connect to `address`, as getaddrinfo spells it.

    `allow` are the networks that the operator opened for endpoints of their own; `own` are our listening addresses,
    which no endpoint may name. What is not an address in canonical form is not allowed.
    """
    if reach == "anywhere":
        return True
    try:
        there = plain(address)
    except ValueError:
        return False
    if there == CLOUD_HOST or (port and is_own(there, port, own)):
        return False
    if not any(there in network for network in NOT_FOR_MERCHANTS):
        return True
    return reach == "operator" and any(there in network for network in allow)


def plain(address: str) -> IPv4Address | IPv6Address:
    """The address itself: without a zone, and IPv4 where it is IPv4 in IPv6's clothes. ValueError: not an address."""
    parsed = ip_address(address.partition("%")[0])
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def is_own(there: IPv4Address | IPv6Address, port: int, own: Collection[tuple[str, int]]) -> bool:
    """Whether we listen there. Who listens on every address listens on loopback; the other ones `http.py` finds."""
    for own_address, own_port in own:
        if own_port == port:
            listening = listens_on(own_address)
            if there == listening or (listening.is_unspecified and (there.is_loopback or there.is_unspecified)):
                return True
    return False


def listens_on(own_address: str) -> IPv4Address | IPv6Address:
    """One of our listening addresses. A name stands for every address: refused too much is better than too little."""
    try:
        return plain(own_address)
    except ValueError:
        return IPv4Address(0)


def check_url(url: str, livemode: bool, reach: Reach, allow: Sequence[Network] = ()) -> None:
    """Refuse `url_not_allowed` for a URL that no endpoint may have, whatever its name resolves to.

    Live mode wants https. A host that is an address must be one that may be reached; a name that leads into private
    space shows when connecting.
    """
    if problem := _problem(url, livemode, reach, allow):
        raise Refusal("url_not_allowed", problem, param="url")


def _problem(url: str, livemode: bool, reach: Reach, allow: Sequence[Network]) -> str | None:
    if len(url) > URL_CHARACTERS_MAX:
        return f"The URL is longer than {URL_CHARACTERS_MAX} characters."
    # Parsers disagree about all of these, and a disagreement about the host is how guards are passed.
    if not url.isascii() or not url.isprintable() or any(character in url for character in ' \\"<>^`{|}'):
        return "The URL holds a character that must be percent-encoded; a name outside ASCII goes in punycode."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "The URL cannot be read."
    if parts.scheme not in (("https",) if livemode else ("https", "http")):
        return "The URL must begin with https://." if livemode else "The URL must begin with https:// or http://."
    if "@" in parts.netloc:
        return "The URL must not hold a user name or password."
    if not host or port == 0 or "%" in host:
        return "The URL must name a host, and a port from 1 to 65535 if any."
    if "#" in url:
        return "The URL must not hold a fragment."
    return _host_problem(host.removesuffix("."), "[" in parts.netloc, reach, allow)


def _host_problem(host: str, bracketed: bool, reach: Reach, allow: Sequence[Network]) -> str | None:
    """What is wrong with a host that is an address: as browsers see it, that is one whose last part is a number."""
    last = host.rpartition(".")[2]
    if bracketed or _NUMBER.fullmatch(last):
        addresses: tuple[str, ...] = (host,)
    elif last == "localhost":
        addresses = _THIS_MACHINE
    else:
        return None
    try:
        open_ = any(allowed(str(plain(address)), 0, reach, allow) for address in addresses)
    except ValueError:
        return "The URL's host is no address as it should be written: four decimal numbers, as in 93.184.216.34."
    if open_:
        return None
    hint = " PAYDESK_EGRESS_ALLOW opens networks for endpoints that the operator adds." if reach == "operator" else ""
    return f"The URL leads to an address that is not a public one.{hint}"
