"""Addresses in every spelling, on both sides of the guard."""

from ipaddress import ip_network

import pytest

from paydesk.errors import Refusal
from paydesk.world import Reach
from paydesk.world.egress import NOT_FOR_MERCHANTS, Network, allowed, check_url, parse_networks

PUBLIC = [
    "93.184.216.34",
    "1.1.1.1",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00::1",
    "::ffff:93.184.216.34",
    "168.63.129.15",
    "168.63.129.17",
]

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]

NOT_CANONICAL = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "", "127.0.0.1 ", "::1]", "١٢٧.0.0.1"]
AZURE = ["168.63.129.16", "::ffff:168.63.129.16"]
EVERYTHING = parse_networks("0.0.0.0/0, ::/0")


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("reach", ["merchant", "operator", "anywhere"])
def test_public_addresses_are_open_to_all(address: str, reach: Reach) -> None:
    assert allowed(address, 443, reach, ())


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_never_open_to_merchants(address: str) -> None:
    assert not allowed(address, 443, "merchant", ())
    assert not allowed(address, 443, "merchant", EVERYTHING)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_open_to_the_operator_where_allowed(address: str) -> None:
    assert not allowed(address, 443, "operator", ())
    assert allowed(address, 443, "operator", EVERYTHING)
    assert allowed(address, 443, "anywhere", ())


@pytest.mark.parametrize("address", NOT_CANONICAL)
@pytest.mark.parametrize("reach", ["merchant", "operator"])
def test_what_is_not_an_address_is_closed(address: str, reach: Reach) -> None:
    assert not allowed(address, 443, reach, EVERYTHING)


@pytest.mark.parametrize("address", AZURE)
@pytest.mark.parametrize("reach", ["merchant", "operator"])
def test_the_clouds_own_address_is_closed_whatever_is_allowed(address: str, reach: Reach) -> None:
    assert not allowed(address, 80, reach, EVERYTHING)


def test_an_allowed_network_opens_itself_alone() -> None:
    allow = parse_networks("10.1.0.0/16,fd00::/8")
    assert allowed("10.1.255.255", 80, "operator", allow)
    assert allowed("::ffff:10.1.0.1", 80, "operator", allow)
    assert allowed("fd12::1", 80, "operator", allow)
    assert not allowed("10.2.0.0", 80, "operator", allow)
    assert not allowed("127.0.0.1", 80, "operator", allow)


@pytest.mark.parametrize(
    ("own", "address", "port", "open_"),
    [
        (("127.0.0.1", 8080), "127.0.0.1", 8080, False),
        (("127.0.0.1", 8080), "::ffff:127.0.0.1", 8080, False),
        (("127.0.0.1", 8080), "127.0.0.1", 8081, True),
        (("127.0.0.1", 8080), "127.0.0.2", 8080, True),
        (("10.0.0.5", 8080), "10.0.0.5", 8080, False),
        (("0.0.0.0", 8080), "127.0.0.9", 8080, False),
        (("0.0.0.0", 8080), "0.0.0.0", 8080, False),
        (("::", 8080), "::1", 8080, False),
        (("::", 8080), "127.0.0.1", 8080, False),
        (("0.0.0.0", 8080), "127.0.0.9", 8081, True),
        (("localhost", 8080), "127.0.0.1", 8080, False),
        (("93.184.216.34", 443), "93.184.216.34", 443, False),
    ],
)
@pytest.mark.parametrize("reach", ["operator", "merchant"])
def test_our_own_doors_are_closed(own: tuple[str, int], address: str, port: int, open_: bool, reach: Reach) -> None:
    private = not allowed(address, port, "merchant", ())
    assert allowed(address, port, reach, EVERYTHING, [own]) is (open_ and not (private and reach == "merchant"))


def test_the_list_is_the_protocols() -> None:
    assert len(NOT_FOR_MERCHANTS) == 30
    assert ip_network("64:ff9b::/96") in NOT_FOR_MERCHANTS


def test_networks_are_read_from_a_setting() -> None:
    assert parse_networks("") == ()
    assert parse_networks(" 10.0.0.0/8 , ::1/128,") == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    for wrong in ("10.0.0.1/8", "private", "10.0.0.0/33", "10.0.0.0/8;::1/128"):
        with pytest.raises(ValueError, match=r"10|private"):
            parse_networks(wrong)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/hooks?token=%7Ea#".rstrip("#"),
        "https://shop.example:8443/a//b",
        "https://xn--bcher-kva.example/",
        "https://[2606:4700::1]/",
        "HTTPS://SHOP.EXAMPLE/",
        "https://93.184.216.34/",
        "https://93.184.216.34.:8443/",
        "https://1.2.3.example/",
        "https://0x7f.example/",
        "https://localhost.example/",
    ],
)
def test_urls_for_live_mode(url: str) -> None:
    check_url(url, True, "merchant")
    check_url(url, False, "merchant")


def test_plain_http_is_for_test_mode() -> None:
    check_url("http://shop.example:3000/hook", False, "merchant")
    assert "https" in refused("http://shop.example:3000/hook", livemode=True)


SPELT = [
    "127.0.0.1",
    "127.0.0.1.",
    "10.1.2.3",
    "169.254.169.254",
    "168.63.129.16",
    "0.0.0.0",
    "localhost",
    "LOCALHOST.",
    "app.localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[fd00::1]",
]
STRANGE = [
    "2130706433",
    "0x7f.1",
    "0X7F000001",
    "0x",
    "0177.0.0.1",
    "127.1",
    "0",
    "017700000001",
    "134744072",  # A public address, but aiohttp does not connect to this spelling.
    "1.2.3.256",
    "1.2.3.4.5",
    "name.1",
    "[v1.name]",
]


@pytest.mark.parametrize("host", SPELT)
def test_an_address_out_of_reach_is_refused_when_it_is_given(host: str) -> None:
    url = f"https://{host}:8443/hook"
    for livemode in (True, False):
        assert "EGRESS" not in refused(url, livemode)
    assert "PAYDESK_EGRESS_ALLOW" in refused(url, False, "operator", parse_networks("192.168.0.0/16"))


@pytest.mark.parametrize("host", STRANGE)
def test_an_address_in_a_strange_spelling_is_refused(host: str) -> None:
    for reach in REACHES:
        assert refused(f"https://{host}/", True, reach, EVERYTHING)


@pytest.mark.parametrize("host", [host for host in SPELT if host != "168.63.129.16"])
def test_an_address_that_the_operator_opened_is_taken(host: str) -> None:
    check_url(f"http://{host}/", False, "operator", EVERYTHING)


def test_localhost_is_open_where_one_of_its_addresses_is() -> None:
    for networks in ("127.0.0.0/8", "::1/128"):
        check_url("http://localhost:3000/", False, "operator", parse_networks(networks))


REACHES: list[Reach] = ["merchant", "operator"]


def refused(url: str, livemode: bool, reach: Reach = "merchant", allow: tuple[Network, ...] = ()) -> str:
    with pytest.raises(Refusal) as caught:
        check_url(url, livemode, reach, allow)
    assert (caught.value.code, caught.value.param) == ("url_not_allowed", "url")
    return caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/hook",
        "//shop.example/hook",
        "ftp://shop.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https:/shop.example",
        "https:///hook",
        "https://?x",
        "https://:443/",
        "https://user@shop.example/",
        "https://user:secret@shop.example/",
        "https://@shop.example/",
        "https://shop.example\\@127.0.0.1/",
        "https://shop.example/#part",
        "https://shop.example/#",
        "https://shop.example:0/",
        "https://shop.example:65536/",
        "https://shop.example:http/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://shop%2eexample/",
        " https://shop.example/",
        "https://shop.example/a b",
        "https://shop.example/\r\nHost: x",
        "https://shop.example/\t",
        "https://bücher.example/",
        "https://shop.example/ü",
        "https://shop.example/\x00",
        "https://shop.example/" + "a" * 2048,
    ],
)
def test_urls_that_no_endpoint_may_have(url: str) -> None:
    refused(url, livemode=False)
    refused(url, livemode=True)
