"""The two documents of a challenge: their policies to the letter, and the bank's page in its sandbox."""

import re

import pytest

from paydesk import resources
from paydesk.web import page
from paydesk.web.assets import Assets
from paydesk.web.challenge_page import challenge_headers, may_be_a_banks, return_headers
from tests.frame.test_page import NONCE, SHOP, Tags

BANK = "https://bank.example/3ds?a=1&b=2"
CARD_PAGE = "/checkout/pi_abc?locale=en"

BESIDE = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"permissions-policy", b"payment=(self), camera=(), microphone=(), geolocation=(), usb=(), clipboard-read=()"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"origin-agent-cluster", b"?1"),
]


@pytest.fixture(scope="module")
def pages() -> page.Page:
    return page.Page(templates=resources.folder("templates"), assets=Assets(resources.folder("static")))


def policy(frames: str, forms: str, ancestors: str) -> tuple[bytes, bytes]:
    written = (
        "default-src 'none'; script-src 'nonce-bm9uY2Utb2YtdGhlLXRlc3Q'; style-src 'nonce-bm9uY2Utb2YtdGhlLXRlc3Q'; "
        f"img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src {frames}; base-uri 'none'; "
        f"form-action {forms}; frame-ancestors {ancestors}; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return b"content-security-policy", written.encode()


def test_live_banks_are_https() -> None:
    assert challenge_headers(origins=[SHOP], nonce=NONCE, livemode=True, isolated=False) == [
        policy("'self' https:", "https:", SHOP),
        *BESIDE,
    ]


def test_test_banks_may_be_on_this_machine() -> None:
    banks = "https: http://localhost:* http://127.0.0.1:*"
    assert challenge_headers(origins=[SHOP], nonce=NONCE, livemode=False, isolated=False) == [
        policy(f"'self' {banks}", banks, SHOP),
        *BESIDE,
    ]


def test_in_an_isolated_shop_it_has_an_embedder_policy() -> None:
    headers = challenge_headers(origins=[SHOP], nonce=NONCE, livemode=True, isolated=True)
    assert headers[-1] == (b"cross-origin-embedder-policy", b"credentialless")
    assert headers[:-1] == challenge_headers(origins=[SHOP], nonce=NONCE, livemode=True, isolated=False)


def test_around_the_way_back_stand_we_and_the_shop() -> None:
    assert return_headers(origins=[SHOP], nonce=NONCE) == [policy("'none'", "'none'", f"'self' {SHOP}"), *BESIDE]


def test_without_origins_nobody_embeds_them() -> None:
    [challenge, *_] = challenge_headers(origins=[], nonce=NONCE, livemode=True, isolated=False)
    assert b"; frame-ancestors 'none'; " in challenge[1]
    assert b"; frame-ancestors 'self'; " in return_headers(origins=[], nonce=NONCE)[0][1]


@pytest.mark.parametrize("origin", ["*", "https://a.example; script-src *", "https://a.example\r\nx: y"])
def test_what_is_no_origin_gets_no_page(origin: str) -> None:
    with pytest.raises(ValueError, match="Not an origin"):
        challenge_headers(origins=[origin], nonce=NONCE, livemode=True, isolated=False)
    with pytest.raises(ValueError, match="Not an origin"):
        return_headers(origins=[origin], nonce=NONCE)


@pytest.mark.parametrize(
    ("url", "in_test", "in_live"),
    [
        ("https://bank.example/x", True, True),
        ("http://localhost:9000/bank/chl_1", True, False),
        ("http://127.0.0.1:9000/bank/chl_1", True, False),
        ("http://127.0.0.1/bank", True, False),
        ("http://127.0.0.1.evil.example/", False, False),
        ("http://localhost@evil.example/", False, False),
        ("http://bank.example/x", False, False),
        ("javascript:alert(1)//https://x", False, False),
        ("data:text/html,hello", False, False),
        ("//bank.example", False, False),
        ("", False, False),
    ],
)
def test_where_a_banks_page_may_be(url: str, in_test: bool, in_live: bool) -> None:
    assert may_be_a_banks(url, livemode=False) is in_test
    assert may_be_a_banks(url, livemode=True) is in_live


def challenge(pages: page.Page, **changed: object) -> str:
    facts = {"bank": BANK, "isolated": False, "card_page": CARD_PAGE} | changed
    return pages.render(
        document=page.CHALLENGE, intent_id="pi_abc", origins=[SHOP], nonce=NONCE, locale="en", **facts
    ).decode()


def way_back(pages: page.Page) -> str:
    return pages.render(
        document=page.RETURN, intent_id="pi_abc", origins=[SHOP], nonce=NONCE, locale="de", card_page=CARD_PAGE
    ).decode()


def test_the_banks_page_stands_in_a_sandbox(pages: page.Page) -> None:
    [frame] = Tags(challenge(pages)).all("iframe")
    assert frame["src"] == BANK
    assert set(frame["sandbox"].split()) == {
        "allow-forms", "allow-scripts", "allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox",
    }  # fmt: skip
    assert frame["title"] == "Confirm with your bank"
    assert "credentialless" not in frame
    [alone] = Tags(challenge(pages, isolated=True)).all("iframe")
    assert "credentialless" in alone


def test_a_banks_address_cannot_break_out(pages: page.Page) -> None:
    html = challenge(pages, bank='https://x/"><script>alert(1)</script>')
    assert len(Tags(html).all("script")) == 1
    assert "<script>alert" not in html


def test_scripts_carry_the_nonce_and_nothing_is_inline(pages: page.Page) -> None:
    for html in (challenge(pages), way_back(pages)):
        tags = Tags(html)
        [script] = tags.all("script")
        links = [link for link in tags.all("link") if link["rel"] != "icon"]
        for one in (script, *links):
            assert one["nonce"] == NONCE
            assert re.fullmatch(r"sha384-[A-Za-z0-9+/]{64}", one["integrity"])
        for tag, attributes in tags.found:
            assert tag not in ("style", "form", "input")
            assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_both_lead_to_the_cards_page_and_nowhere_else(pages: page.Page) -> None:
    for html in (challenge(pages), way_back(pages)):
        tags = Tags(html)
        [body] = tags.all("body")
        assert body["data-card-page"] == CARD_PAGE
        assert tags.all("a") == []
    assert Tags(way_back(pages)).all("html") == [{"lang": "de"}]
