"""The card document and what is beside it, over HTTP from the real server (protocol.md, section 5)."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.browser.real import Street

# No browser, but the processes of the journeys beside it.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def intent(street: Street) -> dict[str, Any]:
    return street.open(amount=4200, currency="usd")


@pytest.fixture
def web(street: Street) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=street.stage.paydesk) as web:
        yield web


def policy(answer: httpx.Response) -> dict[str, str]:
    parts = (part.partition(" ") for part in answer.headers["content-security-policy"].split("; "))
    return {name: value for name, _, value in parts}


def test_the_headers_are_the_protocols(street: Street, web: httpx.Client, intent: dict[str, Any]) -> None:
    answer = web.get(f"/checkout/{intent['id']}")
    nonce = policy(answer)["script-src"].removeprefix("'nonce-").removesuffix("'")
    assert re.fullmatch(r"[\w-]{22,}", nonce)
    ours = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
    assert re.fullmatch(r"req_\w+", ours.pop("request-id"))
    assert ours == {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {street.shop}; require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "permissions-policy": "payment=(self), camera=(), microphone=(), geolocation=(), usb=(), clipboard-read=()",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "origin-agent-cluster": "?1",
    }
    assert set(re.findall(r'nonce="([^"]*)"', answer.text)) == {nonce}
    assert intent["client_secret"] not in answer.text


def test_each_answer_has_its_own_nonce(web: httpx.Client, intent: dict[str, Any]) -> None:
    assert len({policy(web.get(f"/checkout/{intent['id']}"))["script-src"] for _ in range(3)}) == 3


def test_who_may_embed_it_is_not_for_the_caller_to_say(
    street: Street, web: httpx.Client, intent: dict[str, Any]
) -> None:
    evil = "https://evil.example"
    headers = {"Referer": f"{evil}/pay", "Origin": evil, "X-Forwarded-Host": "evil.example"}
    answer = web.get(f"/checkout/{intent['id']}", params={"origin": evil, "parent": evil}, headers=headers)
    assert answer.status_code in (200, 400)
    assert policy(web.get(f"/checkout/{intent['id']}", headers=headers))["frame-ancestors"] == street.shop
    assert "evil.example" not in answer.text
    assert "evil.example" not in str(answer.headers)


@pytest.mark.parametrize("name", ["pi_nobody", "pi_" + "0" * 30, "%00", "keys2", "pi_x%22%3E%3Cscript%3E"])
def test_there_is_no_page_for_what_is_no_intent(web: httpx.Client, name: str) -> None:
    answer = web.get(f"/checkout/{name}")
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["code"] in ("resource_missing", "path_not_canonical")
    assert "script" not in answer.headers["content-type"]
    assert "text/html" not in answer.headers["content-type"]


def test_every_file_that_the_page_names_is_there_for_any_shop(web: httpx.Client, intent: dict[str, Any]) -> None:
    page = web.get(f"/checkout/{intent['id']}").text
    paths = [path for path in re.findall(r'(?:href|src)="([^"]+)"', page) if path != "data:,"]
    assert len(paths) >= 10
    for path in [*paths, "/checkout.js"]:
        answer = web.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert ("immutable" in answer.headers["cache-control"]) is (path != "/checkout.js"), path


def test_the_card_keys_are_public_halves(web: httpx.Client) -> None:
    answer = web.get("/checkout/keys")
    keys = answer.json()["keys"]
    assert keys
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"} for key in keys)


@pytest.mark.parametrize("field", ["amount", "currency", "capture_method"])
def test_a_confirm_names_no_amount(web: httpx.Client, intent: dict[str, Any], field: str) -> None:
    bearer = {"Authorization": f"Bearer {intent['client_secret']}"}
    answer = web.post(f"/checkout/{intent['id']}/confirm", json={"card": "x", field: "1"}, headers=bearer)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field


def test_a_secret_opens_its_own_intent_alone(street: Street, web: httpx.Client, intent: dict[str, Any]) -> None:
    other = street.open(amount=100, currency="usd")
    for bearer in (other["client_secret"], intent["client_secret"] + "x", "x"):
        answer = web.get(f"/checkout/{intent['id']}/session", headers={"Authorization": f"Bearer {bearer}"})
        assert answer.status_code in (400, 401), bearer
        assert "amount" not in answer.text
    assert web.get(f"/checkout/{intent['id']}/session").status_code in (400, 401)
