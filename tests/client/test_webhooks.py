"""Verifying: the vectors, the `standardwebhooks` package in both directions, and what a merchant gets wrong."""

import base64
import json
import pickle
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import standardwebhooks.webhooks
from hypothesis import given
from hypothesis import strategies as st

from paydesk_client import WebhookVerificationError, sign_webhook, verify_webhook

VECTORS = json.loads((Path(__file__).parents[2] / "webhooks" / "signatures.json").read_bytes())["webhooks"]
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
AT = 1_700_000_000
BODY = b'{"id":"evt_1","type":"payment_intent.succeeded"}'


def headers_of(vector: dict[str, Any]) -> dict[str, str]:
    names = ("webhook_id", "webhook_timestamp", "webhook_signature")
    return {name.replace("_", "-"): vector[name] for name in names if vector[name] is not None}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_vectors(vector: dict[str, Any]) -> None:
    body, headers = vector["body"].encode(), headers_of(vector)
    if vector["accepted"]:
        assert verify_webhook(body, headers, vector["secrets"], now=vector["now"]) == json.loads(body)
        return
    with pytest.raises(WebhookVerificationError) as refused:
        verify_webhook(body, headers, vector["secrets"], now=vector["now"])
    assert refused.value.why == vector["why"]


def public_package_accepts(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> bool:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(vector["now"], tz)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Stopped)
    for secret in vector["secrets"]:
        try:
            standardwebhooks.Webhook(secret).verify(vector["body"], headers_of(vector))
        except (ValueError, standardwebhooks.WebhookVerificationError):
            continue  # It lets ValueErrors of its parsing through.
        return True
    return False


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_public_package_judges_the_vectors_alike(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lenient = {"a timestamp with a fraction, signed so", "a timestamp with a sign, signed so"}
    accepted = public_package_accepts(vector, monkeypatch)
    if vector["name"] not in lenient:  # It reads the timestamp as a float; the specification says whole seconds.
        assert accepted == vector["accepted"]


@given(body=st.dictionaries(st.text(), st.text()), key=st.binary(min_size=24, max_size=64))
def test_what_we_sign_the_public_package_accepts(body: dict[str, str], key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    data = json.dumps(body, ensure_ascii=True).encode()
    headers = sign_webhook(data, secret, webhook_id="evt_1")
    assert standardwebhooks.Webhook(secret).verify(data, headers) == body


@given(body=st.dictionaries(st.text(), st.text()), key=st.binary(min_size=24, max_size=64))
def test_what_the_public_package_signs_we_accept(body: dict[str, str], key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    data = json.dumps(body, ensure_ascii=True)
    signature = standardwebhooks.Webhook(secret).sign("evt_1", datetime.fromtimestamp(AT, UTC), data)
    headers = {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(AT), "Webhook-Signature": signature}
    assert verify_webhook(data.encode(), headers, secret, now=AT) == body


def test_signing_is_what_the_vectors_say() -> None:
    rolled = next(vector for vector in VECTORS if vector["name"] == "old and new secret for a day after a roll")
    headers = sign_webhook(
        rolled["body"].encode(), rolled["secrets"], webhook_id="evt_3", timestamp=int(rolled["webhook_timestamp"])
    )
    assert headers == headers_of(rolled)


@pytest.mark.parametrize("change", [str.upper, str.title, str.lower])
def test_the_case_of_header_names_does_not_matter(change: Any) -> None:
    headers = {change(name): value for name, value in signed().items()}
    assert verify_webhook(BODY, headers, SECRET, now=AT)["id"] == "evt_1"


def signed(secret: str | list[str] = SECRET) -> dict[str, str]:
    return sign_webhook(BODY, secret, webhook_id="evt_1", timestamp=AT)


def refused(why: str, *, body: bytes = BODY, secret: Any = SECRET, now: float = AT, **headers: str) -> str:
    given = signed() | {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(WebhookVerificationError) as no:
        verify_webhook(body, given, secret, now=now)
    assert no.value.why == why
    assert SECRET[6:20] not in str(no.value)
    return str(no.value)


@pytest.mark.parametrize("offset", [300, -300, 300.9])
def test_within_the_tolerance(offset: float) -> None:
    assert verify_webhook(BODY, signed(), SECRET, now=AT + offset)


def test_a_tolerance_of_ones_own() -> None:
    assert verify_webhook(BODY, signed(), SECRET, tolerance_seconds=1000, now=AT + 1000)
    with pytest.raises(WebhookVerificationError):
        verify_webhook(BODY, signed(), SECRET, tolerance_seconds=10, now=AT + 11)


def test_messages_say_what_to_do() -> None:
    assert "301 s behind" in refused("timestamp_out_of_range", now=AT + 301)
    assert "301 s ahead of" in refused("timestamp_out_of_range", now=AT - 301)
    assert "proxy" in refused("missing_header", webhook_id="")
    assert "the bytes that came" in refused("invalid_signature", body=BODY + b" ")
    assert "this very endpoint" in refused("invalid_signature", secret=OTHER)
    assert "the whole whsec_…" in refused("bad_secret", secret=SECRET[6:])


def test_what_no_header_can_rightly_hold() -> None:
    refused("malformed_header", webhook_id="evt_1\n")
    refused("malformed_header", webhook_id="evt_\udce9")
    refused("malformed_header", webhook_timestamp="١٧٠٠٠٠٠٠٠٠")
    refused("malformed_header", webhook_timestamp="9" * 5000)
    refused("invalid_signature", webhook_signature="v1,\udce9")
    refused("invalid_signature", webhook_signature="v1,☕ " * 500)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", [], [SECRET, ""], "whsec_****", "whsec_c2hvcnQ=", "sk_test_AAEC", "whsec_" + "A" * 100, "whsec_☕"],
)
def test_without_a_whole_secret_nothing_passes(secret: str | list[str]) -> None:
    refused("bad_secret", secret=secret)


def test_a_secret_without_its_padding_is_the_same_secret() -> None:
    assert verify_webhook(BODY, signed(), SECRET.rstrip("="), now=AT)


def test_one_of_several_secrets_must_fit() -> None:
    assert verify_webhook(BODY, signed(), [OTHER, SECRET], now=AT)
    assert verify_webhook(BODY, signed([OTHER, SECRET]), SECRET, now=AT)


@pytest.mark.parametrize("body", [b"[]", b"1", b"", b"\xff\xfe"])
def test_signed_but_no_event(body: bytes) -> None:
    with pytest.raises(WebhookVerificationError) as no:
        verify_webhook(body, sign_webhook(body, SECRET, webhook_id="evt_1", timestamp=AT), SECRET, now=AT)
    assert no.value.why == "malformed_body"


@pytest.mark.parametrize("body", [BODY.decode(), json.loads(BODY)])
def test_a_body_that_was_parsed_already_is_a_mistake_to_tell(body: Any) -> None:
    with pytest.raises(TypeError, match="as the bytes that came"):
        verify_webhook(body, signed(), SECRET, now=AT)


def test_without_now_this_machines_clock_counts() -> None:
    assert verify_webhook(BODY, sign_webhook(BODY, SECRET, webhook_id="evt_1"), SECRET)
    with pytest.raises(WebhookVerificationError):
        verify_webhook(BODY, signed(), SECRET)


def test_the_error_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(WebhookVerificationError("bad_secret", "Take the other one.")))
    assert (again.why, str(again)) == ("bad_secret", "Take the other one.")
