"""What holds for every test: generated cases are the same in CI, and nothing connects anywhere but to this machine."""

import ipaddress
import os
import socket
import sys

from hypothesis import settings

settings.register_profile("paydesk", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("paydesk")


def is_loopback(host: object) -> bool:
    """Whether `host`, as given to a socket, is this machine. Of names only localhost is; others lead anywhere."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def refuse_to_leave(event: str, arguments: tuple[object, ...]) -> None:
    """Not an OSError, so that no code under test takes it for a network that is down.

    Sees what this process does with Python's sockets; uvloop's own `create_connection` and other processes go unseen.
    """
    if event not in {"socket.connect", "socket.sendto"}:
        return
    wire, address = arguments[0], arguments[1]
    if not isinstance(wire, socket.socket) or wire.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    if isinstance(address, tuple) and not is_loopback(address[0]):
        raise RuntimeError(f"A test tried to reach {address[0]!r}: tests reach loopback only.")


sys.addaudithook(refuse_to_leave)
