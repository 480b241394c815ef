"""Signed headers: each exactly once, each in its form; then key, signature and time, in that order."""

import json
import secrets

import pytest

from tests.bad_input.inputs import HEADER_FORMS, SIGNATURE
from tests.bad_input.wire import Answered, Header, Signer, Wire, at, whole

PING = b"/v1/ping"
CREATE = b"/v1/payment_intents"
BODY = b'{"amount":1000,"currency":"usd"}'

NAMES = ["Authorization", "X-Request-Timestamp", "X-Request-Nonce", "X-Signature", "Idempotency-Key"]


def pairs(headers: dict[str, str]) -> list[Header]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def sent(wire: Wire, headers: dict[str, str] | list[Header], body: bytes = BODY) -> Answered:
    """A create with these headers, and a Content-Type."""
    listed = pairs(headers) if isinstance(headers, dict) else headers
    return wire.ask(whole("POST", CREATE, [(b"Content-Type", b"application/json"), *listed], body))


def good(signer: Signer, **how: str) -> dict[str, str]:
    return signer.headers("POST", CREATE, BODY, **({"idempotency_key": secrets.token_hex(8)} | how))


@pytest.mark.parametrize("name", NAMES)
def test_a_header_twice(wire: Wire, signer: Signer, name: str) -> None:
    headers = pairs(good(signer))
    again = next(pair for pair in headers if pair[0].decode() == name)
    sent(wire, [*headers, again]).refused(400, "duplicate_header", name)
    sent(wire, [(again[0].lower(), b"something else"), *headers]).refused(400, "duplicate_header", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_header_that_is_missing(wire: Wire, signer: Signer, name: str) -> None:
    headers = good(signer)
    del headers[name]
    code = "idempotency_key_missing" if name == "Idempotency-Key" else "missing_header"
    sent(wire, headers).refused(400, code, name)


@pytest.mark.parametrize(("name", "form"), [(name, form) for name, forms in HEADER_FORMS.items() for form in forms])
def test_a_header_in_another_form(wire: Wire, signer: Signer, name: str, form: str) -> None:
    value = form.replace("{key}", signer.key_id).replace("{secret}", signer.secret)
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        value = value.encode().decode("latin-1")
    answer = sent(wire, good(signer) | {name: value})
    if value.strip() == value:
        answer.refused(400, "malformed_header", name)
        assert signer.secret not in answer.body.decode()
    else:  # Space around a value is not part of it (RFC 9112, section 5.1).
        assert answer.status == 400


def test_a_signature_by_nobody(wire: Wire, signer: Signer) -> None:
    answer = sent(wire, good(signer) | {"X-Signature": SIGNATURE})
    answer.refused(401, "invalid_signature")
    assert answer.error["type"] == "authentication_error"


def test_an_unknown_key_looks_like_a_wrong_signature(wire: Wire, signer: Signer) -> None:
    other = Signer(signer.key_id[:-4] + "0000", signer.secret)
    nowhere = Signer("key_test_a", signer.secret)
    wrong = Signer(signer.key_id, signer.secret[:-1])
    answers = [sent(wire, good(someone)) for someone in (other, nowhere, wrong)]
    for answer in answers:
        answer.refused(401, "invalid_signature")
        assert set(answer.error) == set(answers[0].error)
        assert answer.error["message"] == answers[0].error["message"]
        assert signer.secret[8:30] not in answer.body.decode()


def test_a_live_key_is_told_nothing_of_what_the_server_built(wire: Wire, signer: Signer) -> None:
    live = Signer(signer.key_id.replace("key_test_", "key_live_"), signer.secret)
    answer = sent(wire, good(live))
    answer.refused(401, "invalid_signature")
    assert "explain" not in answer.error


def test_in_test_mode_the_error_shows_what_the_server_built(wire: Wire, signer: Signer) -> None:
    headers = good(signer, idempotency_key="order-1001")
    body = json.dumps(json.loads(BODY)).encode()  # Read and written again after it was signed.
    answer = sent(wire, headers, body)
    answer.refused(401, "invalid_signature")
    lines = answer.error["explain"]["canonical"].split("\n")
    assert lines[1:4] == ["POST", "/v1/payment_intents", ""]
    assert lines[7] == "order-1001"
    assert lines[8] == answer.error["explain"]["sha256_of_body"]


def test_what_was_signed_is_what_must_be_sent(wire: Wire, signer: Signer) -> None:
    listing = b"/v1/payment_intents?limit=1&starting_after=a"
    swapped = b"/v1/payment_intents?starting_after=a&limit=1"
    for method, target in (
        ("GET", swapped),
        ("GET", b"/v1/payment_intents"),
        ("GET", listing + b"&"),
        ("GET", b"/v1/payment%5fintents?limit=1&starting_after=a"),
        ("HEAD", listing),
    ):
        answer = wire.ask(whole(method, target, signer.headers("GET", listing)))
        assert answer.status == 401, (method, target)
    sent(wire, good(signer) | {"Idempotency-Key": "another"}).refused(401, "invalid_signature")
    sent(wire, good(signer) | {"X-Request-Nonce": "n" * 16}).refused(401, "invalid_signature")
    sent(wire, good(signer) | {"X-Request-Timestamp": at(1)}).refused(401, "invalid_signature")
    sent(wire, good(signer), BODY + b" ").refused(401, "invalid_signature")
    sent(wire, good(signer), b"").refused(401, "invalid_signature")


@pytest.mark.parametrize("seconds", [-301, -3600, 303, 3600, -(60 * 60 * 24 * 365 * 50)])
def test_a_time_that_is_off(wire: Wire, signer: Signer, seconds: int) -> None:
    answer = sent(wire, good(signer, timestamp=at(seconds)))
    answer.refused(401, "timestamp_out_of_range")
    assert abs(len(json.loads(answer.body)["server_time"]) - len("2023-10-15T14:22:31.000Z")) == 0


@pytest.mark.parametrize("seconds", [-295, 295])
def test_a_time_that_is_just_right(wire: Wire, signer: Signer, seconds: int) -> None:
    headers = signer.headers("GET", PING, timestamp=at(seconds))
    assert wire.ask(whole("GET", PING, headers)).status == 200


def test_the_time_is_looked_at_after_the_signature(wire: Wire, signer: Signer) -> None:
    headers = good(signer, timestamp=at(-3600)) | {"X-Signature": SIGNATURE}
    sent(wire, headers).refused(401, "invalid_signature")


def test_the_form_is_looked_at_before_the_body(wire: Wire, signer: Signer) -> None:
    """What is refused for its headers is refused whatever its body says, and before the key is looked for."""
    sent(wire, {"Authorization": "Bearer key_test_nobody"}, b"{" * 5000).refused(400, "missing_header")
    sent(wire, good(signer) | {"X-Signature": SIGNATURE}, b"{" * 5000).refused(401, "invalid_signature")


def test_two_signatures_while_a_secret_is_rolled(wire: Wire, signer: Signer) -> None:
    headers = signer.headers("GET", PING)
    for signatures in (f"{SIGNATURE},{headers['X-Signature']}", f"{headers['X-Signature']},{SIGNATURE}"):
        headers = signer.headers("GET", PING)
        other = signatures.replace(signatures.split(",")[signatures.startswith(SIGNATURE)], headers["X-Signature"])
        assert wire.ask(whole("GET", PING, headers | {"X-Signature": other})).status == 200
