"""Card payloads that can't be opened, belong elsewhere, or hold no card that can pay."""

import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.bad_input.inputs import BROKEN_JWES, JWE_HEADERS, b64, unb64, with_header
from tests.journeys.cast import Cast, refused
from tests.stage.shopper import VISA, Shopper
from tests.stage.stage import Merchant
from tests.vault.seal_card import seal_bytes


@pytest.fixture(scope="module")
def shopper(tea: Merchant) -> Shopper:
    """Holds an intent that must be payable at the end as at the beginning."""
    return tea.shopper(tea.client.payment_intents.list()["data"][0] | {"client_secret": secret_of(tea)})


def secret_of(tea: Merchant) -> str:
    newest = tea.client.payment_intents.list()["data"][0]["id"]
    return tea.client.payment_intents.retrieve(newest)["client_secret"]


@pytest.fixture
def inside(shopper: Shopper) -> dict[str, Any]:
    """What an honest frame puts into a payload."""
    return {
        "v": 1,
        "number": VISA,
        "exp_month": 12,
        "exp_year": datetime.now(UTC).year + 3,
        "cvc": "123",
        "intent": shopper.intent_id,
        "origin": shopper.origin,
        "iat": int(time.time()),
        "jti": secrets.token_urlsafe(16),
    }


@pytest.fixture
def jwk(shopper: Shopper) -> dict[str, Any]:
    return shopper.http.get("/checkout/keys").json()["keys"][0]


def invalid(answer: httpx.Response) -> None:
    """One message, whatever it was."""
    whole = refused(answer, 400, "card_payload_invalid")
    assert whole["error"]["message"] == "The encrypted card could not be used. Reload the form."
    assert "payment_intent" not in whole


@pytest.mark.parametrize("name", JWE_HEADERS)
def test_another_header(shopper: Shopper, jwk: dict[str, Any], inside: dict[str, Any], name: str) -> None:
    good = seal_bytes(jwk, json.dumps(inside).encode())
    invalid(shopper.confirm(with_header(good, **JWE_HEADERS[name])))


def test_other_algorithms_all_the_way(shopper: Shopper, jwk: dict[str, Any], inside: dict[str, Any]) -> None:
    """Not only said in the header, but really made so."""
    plaintext = json.dumps(inside).encode()
    header = {"kid": jwk["kid"], "typ": "paydesk-card+jwe"}
    oct_key = OctKey.generate_key(256)
    others: list[tuple[dict[str, str], Any]] = [
        ({"alg": "dir", "enc": "A256GCM"}, oct_key),
        ({"alg": "A256KW", "enc": "A256GCM"}, oct_key),
        ({"alg": "RSA-OAEP-256", "enc": "A256GCM"}, RSAKey.generate_key(2048)),
        ({"alg": "ECDH-ES+A128KW", "enc": "A256GCM"}, ECKey.import_key(jwk)),
        ({"alg": "ECDH-ES", "enc": "A128CBC-HS256"}, ECKey.import_key(jwk)),
        ({"alg": "ECDH-ES", "enc": "A256GCM", "zip": "DEF"}, ECKey.import_key(jwk)),
    ]
    for said, key in others:
        algorithms = [said["alg"], said["enc"], "DEF"]
        invalid(shopper.confirm(jwe.encrypt_compact(header | said, plaintext, key, algorithms=algorithms)))


@pytest.mark.parametrize("part", [0, 2, 3, 4])
def test_a_flipped_byte(shopper: Shopper, jwk: dict[str, Any], inside: dict[str, Any], part: int) -> None:
    parts = seal_bytes(jwk, json.dumps(inside).encode()).split(".")
    data = bytearray(unb64(parts[part]))
    data[len(data) // 2] ^= 1
    parts[part] = b64(bytes(data))
    answer = shopper.confirm(".".join(parts))
    assert answer.json()["error"]["code"] in ("card_payload_invalid", "card_key_expired"), answer.text
    assert answer.status_code in (400, 409)


@pytest.mark.parametrize("name", BROKEN_JWES)
def test_a_broken_payload(shopper: Shopper, jwk: dict[str, Any], inside: dict[str, Any], name: str) -> None:
    token = BROKEN_JWES[name](seal_bytes(jwk, json.dumps(inside).encode()))
    answer = shopper.http.post(f"/checkout/{shopper.intent_id}/confirm", json={"card": token})
    invalid(answer)
    assert VISA not in answer.text


BOUND: dict[str, dict[str, Any]] = {
    "another intent": {"intent": "pi_another"},
    "no intent": {"intent": ""},
    "another origin": {"origin": "https://evil.example"},
    "the origin with a slash": {"origin": "https://shop.example/"},
    "the origin in upper case": {"origin": "HTTPS://SHOP.EXAMPLE"},
    "no origin": {"origin": "null"},
    "too old": {"iat": int(time.time()) - 5000},
    "from the future": {"iat": int(time.time()) + 5000},
    "in milliseconds": {"iat": int(time.time() * 1000)},
    "a time that is a fraction": {"iat": time.time()},
    "a time that is text": {"iat": str(int(time.time()))},
    "a short jti": {"jti": "short"},
    "another version": {"v": 2},
    "an amount": {"amount": 1},
    "a number that is a number": {"number": int(VISA)},
    "a CVC that is a number": {"cvc": 123},
    "a month that is text": {"exp_month": "12"},
    "a NUL in the name": {"name": "a\x00b"},
}


@pytest.mark.parametrize("name", BOUND)
def test_a_payload_that_is_bound_elsewhere(
    shopper: Shopper, jwk: dict[str, Any], inside: dict[str, Any], name: str
) -> None:
    invalid(shopper.confirm(seal_bytes(jwk, json.dumps(inside | BOUND[name]).encode())))


def test_plaintext_that_is_no_card(shopper: Shopper, jwk: dict[str, Any], inside: dict[str, Any]) -> None:
    text = json.dumps(inside)
    twice = text[:-1] + ',"number":"5555555555554444"}'
    for plaintext in (b"", b"null", b"[]", b"\xff", twice.encode(), b"[" * 1500, b"\xef\xbb\xbf" + text.encode()):
        invalid(shopper.confirm(seal_bytes(jwk, plaintext)))


def test_a_payload_for_another_intent_of_the_same_shop(cast: Cast) -> None:
    tea = cast.merchant()
    one, other = tea.shopper(tea.open()), tea.shopper(tea.open())
    jwe_of_other = other.seal()
    invalid(one.confirm(jwe_of_other))
    assert other.confirm(jwe_of_other).status_code == 200  # It was not spent by the try.


def test_the_jti_in_other_bytes(cast: Cast) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    jti = secrets.token_urlsafe(16)
    refused(shopper.pay("4000000000000002", jti=jti), 402, "card_declined")
    invalid(shopper.pay(jti=jti))


def test_a_key_that_is_gone(shopper: Shopper, inside: dict[str, Any]) -> None:
    for kid in ("", "AAAA", "a" * 200, "\x00", "é"):
        fresh = ECKey.generate_key("P-256", private=False).as_dict(private=False) | {"kid": kid}
        refused(shopper.confirm(seal_bytes(fresh, json.dumps(inside).encode())), 409, "card_key_expired")


CARDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "Luhn fails": ({"number": "4242424242424241"}, "incorrect_number", "number"),
    "too short": ({"number": "42424242"}, "incorrect_number", "number"),
    "too long": ({"number": "4" * 20}, "incorrect_number", "number"),
    "no number": ({"number": ""}, "incorrect_number", "number"),
    "with spaces": ({"number": "4242 4242 4242 4242"}, "incorrect_number", "number"),
    "Arabic-Indic": ({"number": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"}, "incorrect_number", "number"),
    "month 13": ({"exp_month": 13}, "invalid_expiry_month", "exp_month"),
    "month 0": ({"exp_month": 0}, "invalid_expiry_month", "exp_month"),
    "month −1": ({"exp_month": -1}, "invalid_expiry_month", "exp_month"),
    "month 2^64": ({"exp_month": 2**64}, "invalid_expiry_month", "exp_month"),
    "year 30": ({"exp_year": 30}, "invalid_expiry_year", "exp_year"),
    "year 1999": ({"exp_year": 1999}, "invalid_expiry_year", "exp_year"),
    "year 9999": ({"exp_year": 9999}, "invalid_expiry_year", "exp_year"),
    "expired": ({"exp_year": 2020, "exp_month": 1}, "expired_card", "exp_year"),
    "no CVC": ({"cvc": ""}, "incorrect_cvc", "cvc"),
    "four digits": ({"cvc": "1234"}, "incorrect_cvc", "cvc"),
    "letters": ({"cvc": "abc"}, "incorrect_cvc", "cvc"),
    "superscripts": ({"cvc": "¹²³"}, "incorrect_cvc", "cvc"),
    "three digits for Amex": ({"number": "378282246310005"}, "incorrect_cvc", "cvc"),
}


@pytest.mark.parametrize("name", CARDS)
def test_cards_that_can_be_read_but_not_be_charged(
    shopper: Shopper, jwk: dict[str, Any], inside: dict[str, Any], name: str
) -> None:
    changed, code, param = CARDS[name]
    answer = shopper.confirm(seal_bytes(jwk, json.dumps(inside | changed).encode()))
    whole = refused(answer, 402, code, param)
    assert whole["error"]["type"] == "card_error"
    assert str(inside["number"]) not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b'{"card":"x","amount":1}', 400, "parameter_unknown", "amount"),
        (b'{"card":"x","currency":"jpy"}', 400, "parameter_unknown", "currency"),
        (b'{"card":"x","capture_method":"manual"}', 400, "parameter_unknown", "capture_method"),
        (b'{"card":"x","card":"y"}', 400, "malformed_json", None),
        (b'{"card":["x"]}', 400, "parameter_invalid", "card"),
        (b'{"card":null}', 400, "parameter_invalid", "card"),
        (b"{}", 400, "parameter_missing", "card"),
        (b"", 400, "parameter_missing", "card"),
        (b'{"number":"4242424242424242"}', 400, "parameter_unknown", "number"),
        (b'{"card":"\\ud800"}', 400, "malformed_json", None),
    ],
)
def test_confirm_bodies(shopper: Shopper, body: bytes, status: int, code: str, param: str | None) -> None:
    answer = shopper.http.post(
        f"/checkout/{shopper.intent_id}/confirm", content=body, headers={"Content-Type": "application/json"}
    )
    refused(answer, status, code, param)


def test_confirms_by_strangers(shopper: Shopper) -> None:
    where = f"{shopper.paydesk}/checkout/{shopper.intent_id}/confirm"
    for authorization in ("", "Bearer", "Bearer x", f"Bearer {shopper.intent_id}", "Basic x", "Bearer pi_é"):
        headers = {"Authorization": authorization.encode("latin-1")}
        refused(httpx.post(where, json={"card": "x"}, headers=headers), 401, "invalid_client_secret")
    refused(httpx.post(where, json={"card": "x"}), 401, "invalid_client_secret")
    refused(shopper.http.post(f"{where}?client_secret=x", json={"card": "x"}), 400, "parameter_unknown")
