"""PD1 against its published vectors, and every way in which the headers can be wrong."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.errors import Refusal
from paydesk.requests import signature
from paydesk.requests.signature import Signed, canonical, check_path, explain, holds, in_window, parse, sign

VECTORS = json.loads((Path(__file__).parents[2] / "webhooks" / "signatures.json").read_bytes())["api_requests"]
SECRET = "sk_test_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
OTHER = "sk_test_HBwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo"
BODY = b'{"amount":4200,"currency":"usd"}'

GOOD: dict[bytes, bytes] = {
    b"host": b"pay.example",
    b"authorization": b"Bearer key_test_1",
    b"x-request-timestamp": b"2023-11-14T22:13:20Z",
    b"x-request-nonce": b"8e03978e-40d5-43e8-bc93-6894a57f9324",
    b"x-signature": b"sha256=" + b"0" * 64,
    b"idempotency-key": b"order-1001",
}


def headers(changed: dict[bytes, bytes | None] | None = None) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in (GOOD | (changed or {})).items() if value is not None]


def read(changed: dict[bytes, bytes | None] | None = None, *, path: bytes = b"/v1/x", query: bytes = b"") -> Signed:
    return parse("POST", path, query, headers(changed), True)


def refusal(changed: dict[bytes, bytes | None]) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as refused:
        read(changed)
    return refused.value.code, refused.value.param


def signed_with(secret: str, *more: str) -> Signed:
    unsigned = read()
    made = ",".join(sign(each, canonical(unsigned, BODY)) for each in (secret, *more))
    return read({b"x-signature": made.encode()})


def of_vector(vector: dict[str, Any]) -> Signed:
    sent: dict[bytes, bytes | None] = {
        b"authorization": f"Bearer {vector['key_id']}".encode(),
        b"x-request-timestamp": vector["timestamp"].encode(),
        b"x-request-nonce": vector["nonce"].encode(),
        b"x-signature": vector["signature"].encode(),
        b"idempotency-key": vector["idempotency_key"].encode() or None,
    }
    return parse(
        vector["method"], vector["path"].encode(), vector["query"].encode(), headers(sent), vector["method"] == "POST"
    )


def verdict(vector: dict[str, Any]) -> str:
    try:
        signed = of_vector(vector)
    except Refusal as refused:
        return refused.code
    return "accepted" if holds(signed, vector["body"].encode(), vector["secrets"]) else "invalid_signature"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_each_published_vector(vector: dict[str, Any]) -> None:
    assert verdict(vector) == ("accepted" if vector["accepted"] else vector["why"])


@pytest.mark.parametrize("vector", [one for one in VECTORS if one["accepted"]], ids=lambda vector: vector["name"])
def test_the_string_that_is_signed_is_the_published_one(vector: dict[str, Any]) -> None:
    text = canonical(of_vector(vector), vector["body"].encode())
    assert text == vector["canonical"].encode()
    assert sign(vector["secrets"][-1], text) in vector["signature"]


def test_what_is_read() -> None:
    assert read(path=b"/v1/a%20b", query=b"limit=1&x=%2F") == Signed(
        method="POST",
        path="/v1/a%20b",
        query="limit=1&x=%2F",
        key_id="key_test_1",
        timestamp="2023-11-14T22:13:20Z",
        timestamp_ms=1_700_000_000_000,
        nonce="8e03978e-40d5-43e8-bc93-6894a57f9324",
        idempotency_key="order-1001",
        signatures=("sha256=" + "0" * 64,),
    )


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"authorization", "Authorization"),
        (b"x-request-timestamp", "X-Request-Timestamp"),
        (b"x-request-nonce", "X-Request-Nonce"),
        (b"x-signature", "X-Signature"),
    ],
)
def test_a_missing_header(name: bytes, title: str) -> None:
    assert refusal({name: None}) == ("missing_header", title)
    assert refusal({name: b""}) == ("malformed_header", title)


@pytest.mark.parametrize("name", [name for name in GOOD if name != b"host"])
def test_a_header_that_stands_twice_even_with_the_same_value(name: bytes) -> None:
    with pytest.raises(Refusal, match="more than once") as refused:
        parse("POST", b"/v1/x", b"", [*headers(), (name, GOOD[name])], False)
    assert refused.value.code == "duplicate_header"


def test_other_headers_may_stand_twice() -> None:
    assert parse("POST", b"/v1/x", b"", [*headers(), (b"host", b"x"), (b"accept", b"a"), (b"accept", b"b")], True)


MALFORMED: list[tuple[bytes, bytes]] = [
    *(
        (b"authorization", value)
        for value in (
            *(
                b"Bearer sk_test_AAEC",
                b"Basic a2V5",
                b"Bearer",
                b"Bearer ",
                b"Bearer  key_test_1",
                b"bearer key_test_1",
            ),
            *(b"Bearer key_prod_1", b"Bearer key_test_", b"Bearer key_test_A", b"Bearer key_test_1,", b"key_test_1"),
            *(b"Bearer key_test_1\n", b"Bearer key_test_\xd9\xa1", b"Bearer key_test_" + b"a" * 72),
        )
    ),
    *(
        (b"x-request-timestamp", value)
        for value in (
            *(b"1700000000", b"1700000000000", b"+1700000000", b"2023-11-14T22:13:20", b"2023-11-14T22:13:20.000Z"),
            *(b"2023-11-14T22:13:20+00:00", b"2023-11-14 22:13:20Z", b"2023-11-14t22:13:20z", b"+2023-11-14T22:13:20Z"),
            *(b"2023-02-30T22:13:20Z", b"2023-13-01T22:13:20Z", b"2023-11-14T24:00:00Z", b"2023-11-14T22:13:60Z"),
            *(b"0000-01-01T00:00:00Z", b"2023-11-14T22:13:20Z ", b"2023-11-14T22:13:20Z\n", b"20231114T221320Z"),
            "٢٠٢٣-11-14T22:13:20Z".encode(),
        )
    ),
    *((b"x-request-nonce", value) for value in (b"a" * 15, b"a" * 65, b"a" * 15 + b"+", b"a" * 16 + b" ", b"a b" * 6)),
    *((b"idempotency-key", value) for value in (b"", b"a" * 256, b"a b", b"a/b", b"a,b", "ключ".encode(), b"a\n")),
    *(
        (b"x-signature", value)
        for value in (
            *(b"0" * 64, b"sha256=" + b"0" * 63, b"sha256=" + b"0" * 65, b"sha256=" + b"A" * 64, b"sha1=" + b"0" * 40),
            *(b"SHA256=" + b"0" * 64, b"sha256=" + b"0" * 64 + b",", b"sha256=" + b"g" * 64, b"v1=" + b"0" * 64),
            b"sha256=" + b"0" * 64 + b", sha256=" + b"0" * 64,
            b",".join([b"sha256=" + b"0" * 64] * 3),
        )
    ),
]


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_header_in_another_form(name: bytes, value: bytes) -> None:
    code, param = refusal({name: value})
    assert code == "malformed_header"
    assert param is not None
    assert param.lower().encode() == name


def test_a_refusal_repeats_nothing_that_was_sent() -> None:
    with pytest.raises(Refusal) as refused:
        read({b"authorization": f"Bearer {SECRET}".encode()})
    assert SECRET not in str(refused.value)
    assert "the id, never the secret" in refused.value.message


def test_leap_days_and_the_last_second_are_moments() -> None:
    assert read({b"x-request-timestamp": b"2024-02-29T23:59:59Z"}).timestamp_ms == 1_709_251_199_000


def test_the_idempotency_key_is_asked_for_last_and_only_where_it_is_needed() -> None:
    without = headers({b"idempotency-key": None})
    assert parse("GET", b"/v1/x", b"", without, False).idempotency_key == ""
    assert parse("GET", b"/v1/x", b"", headers(), False).idempotency_key == "order-1001"
    with pytest.raises(Refusal, match="idempotency_key_missing"):
        parse("POST", b"/v1/x", b"", without, True)
    with pytest.raises(Refusal, match="path_not_canonical"):
        parse("POST", b"//v1/x", b"", without, True)


def test_the_order_of_refusals() -> None:
    everything_wrong = [(b"authorization", b"x"), (b"x-signature", b"x"), (b"x-signature", b"x")]
    for wrong, code in (
        (everything_wrong, "duplicate_header"),
        (everything_wrong[:2], "malformed_header"),
        (everything_wrong[1:2], "missing_header"),
        (headers({b"idempotency-key": b" "}), "malformed_header"),
        (headers({b"idempotency-key": None}), "path_not_canonical"),
    ):
        with pytest.raises(Refusal) as refused:
            parse("POST", b"/v1//x", b"", wrong, True)
        assert refused.value.code == code


@pytest.mark.parametrize(
    "path",
    [
        *(
            b"",
            b"v1/x",
            b"*",
            b"http://pay.example/v1/x",
            b"//",
            b"//v1/x",
            b"/v1//x",
            b"/v1/x//",
            b"/./v1",
            b"/v1/./x",
        ),
        *(b"/v1/.", b"/v1/..", b"/..", b"/.", b"/v1/../x", b"/v1/x/..", b"/v1/%2e%2E/x", b"/v1/.%2e", b"/v1/%2e/x"),
        *(b"/v1%2fx", b"/v1%2Fx", b"/v1%5cx", b"/v1%5Cx", b"/v1/x%00", b"/v1\\x", b"/v1/x#", b"/v1/#x", b"/v1/x?y"),
        *(b"/v1/\xc3\xa9", b"/v1/\xff", b"/v1/x\x00", b"/v1/x\n", b"/v1/x y", b"/v1/x\x7f", b"/v1/x\r\nPOST"),
    ],
)
def test_a_path_that_a_proxy_could_read_otherwise(path: bytes) -> None:
    with pytest.raises(Refusal, match="path_not_canonical"):
        check_path(path, b"")


@pytest.mark.parametrize("query", [b"a=#", b"a=\xc3\xa9", b"a=\xff", b"a=b c", b"a\nb", b"a\x00"])
def test_a_query_that_a_proxy_could_read_otherwise(query: bytes) -> None:
    with pytest.raises(Refusal, match="path_not_canonical"):
        check_path(b"/v1/x", query)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/", b""),
        (b"/v1/payment_intents", b""),
        (b"/v1/x/", b"limit=10&a[b]=%2F%5C%00//../"),
        (b"/v1/a.b/...x/..y/x..", b"return_url=https://shop.example/../a?b"),
        (b"/v1/%20%c3%a9/%2ex", b"q=a+b%20c"),
    ],
)
def test_ordinary_paths_and_queries_pass_as_they_are(path: bytes, query: bytes) -> None:
    check_path(path, query)


def test_either_active_secret_and_either_signature() -> None:
    assert holds(signed_with(SECRET), BODY, [SECRET])
    assert holds(signed_with(SECRET), BODY, [OTHER, SECRET])
    assert holds(signed_with(OTHER, SECRET), BODY, [SECRET])
    assert not holds(signed_with(OTHER), BODY, [SECRET])
    assert not holds(signed_with(SECRET), BODY + b" ", [SECRET])


def test_nothing_holds_without_a_secret_not_even_the_dummy() -> None:
    for secret in (SECRET, signature._DUMMY_SECRET):
        assert not holds(signed_with(secret), BODY, [])
        assert not holds(signed_with(secret, secret), BODY, [OTHER])


def test_as_many_comparisons_with_no_secret_as_with_two(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []
    one, two = signed_with(SECRET), signed_with(OTHER, SECRET)
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: bool(compared.append((a, b))) or a == b)
    for signed, comparisons in ((one, 2), (two, 4)):
        for secrets in ([], [SECRET], [OTHER], [SECRET, OTHER], [OTHER, SECRET]):
            compared.clear()
            assert holds(signed, BODY, secrets) is (SECRET in secrets or (OTHER in secrets and signed is two))
            assert len(compared) == comparisons


@pytest.mark.parametrize("field", ["method", "path", "query", "key_id", "timestamp", "nonce", "idempotency_key"])
def test_every_field_is_signed(field: str) -> None:
    signed = signed_with(SECRET)
    changed = Signed(**{name: getattr(signed, name) for name in signed.__struct_fields__} | {field: "other"})
    assert not holds(changed, BODY, [SECRET])


@given(st.binary(max_size=200))
def test_the_body_is_signed_byte_for_byte(body: bytes) -> None:
    assert canonical(read(), body).endswith(b"\norder-1001\n" + hashlib.sha256(body).hexdigest().encode())


@pytest.mark.parametrize(
    ("offset_ms", "inside"), [(0, True), (300_000, True), (-300_000, True), (300_001, False), (-301_000, False)]
)
def test_the_window(offset_ms: int, inside: bool) -> None:
    assert in_window(read(), 1_700_000_000_000 + offset_ms) is inside


def test_a_window_of_another_size() -> None:
    assert in_window(read(), 1_700_000_010_000, window_seconds=10)
    assert not in_window(read(), 1_700_000_011_000, window_seconds=10)


def test_the_explanation_shows_each_part_and_nothing_secret() -> None:
    signed = signed_with(SECRET)
    shown = explain(signed, BODY)
    text = canonical(signed, BODY).decode()
    assert shown.pop("canonical") == text
    assert list(shown) == [f"sha256_of_{part}" for part in signature.PARTS]
    assert len(shown) == 9
    parts = [*text.split("\n")[:-1], BODY.decode()]
    assert list(shown.values()) == [hashlib.sha256(part.encode()).hexdigest() for part in parts]
    everything = json.dumps(explain(signed, BODY))
    assert signed.signatures[0].removeprefix("sha256=") not in everything
    assert SECRET not in everything
