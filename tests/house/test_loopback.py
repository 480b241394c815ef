"""The guard of tests/conftest.py: a test that would leave this machine fails, whatever it catches."""

import asyncio
import socket

import pytest

LEAVES = "tests reach loopback only"


@pytest.mark.parametrize(
    ("family", "host"),
    [
        (socket.AF_INET, "192.0.2.1"),
        (socket.AF_INET6, "2001:db8::1"),
        (socket.AF_INET6, "::ffff:192.0.2.1"),
    ],
)
def test_leaving_is_refused(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as wire:
        wire.settimeout(1)
        with pytest.raises(RuntimeError, match=LEAVES):
            wire.connect((host, 9))
        with pytest.raises(RuntimeError, match=LEAVES):
            wire.connect_ex((host, 9))


def test_leaving_by_datagram_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire, pytest.raises(RuntimeError, match=LEAVES):
        wire.sendto(b"x", ("192.0.2.1", 9))


def test_leaving_from_a_loop_is_refused() -> None:
    with pytest.raises(RuntimeError, match=LEAVES):
        asyncio.run(asyncio.wait_for(asyncio.open_connection("192.0.2.1", 9), 1))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, socket.socket() as wire:
        wire.connect((host, door.getsockname()[1]))
