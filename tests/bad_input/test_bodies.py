"""Bodies of a signed request, each with its answer. All of them are signed well: it is what they say that is wrong."""

import gzip
import json
from collections.abc import Callable
from secrets import token_hex

import pytest

from tests.bad_input.inputs import MEDIA, NOT_JSON, body, raw
from tests.bad_input.wire import Answered, Signer, Wire, whole
from tests.stage.stage import Merchant

Create = Callable[..., Answered]

CARD = "4242424242424242"
STATEMENT = "statement_descriptor"


def on_statement(text: str) -> bytes:
    return body(statement_descriptor=text)


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_clean_json_object(create: Create, name: str) -> None:
    create(NOT_JSON[name]).refused(400, "malformed_json")


FIELDS: dict[str, tuple[bytes, str, str]] = {
    "no amount": (b'{"currency":"usd"}', "parameter_missing", "amount"),
    "no currency": (b'{"amount":1000}', "parameter_missing", "currency"),
    "nothing": (b"{}", "parameter_missing", "amount"),
    "a fraction": (raw("10.0"), "parameter_invalid", "amount"),
    "an exponent": (raw("1e3"), "parameter_invalid", "amount"),
    "minus zero with a fraction": (raw("-0.0"), "parameter_invalid", "amount"),
    "text": (raw('"1000"'), "parameter_invalid", "amount"),
    "true": (raw("true"), "parameter_invalid", "amount"),
    "null": (raw("null"), "parameter_invalid", "amount"),
    "a list": (raw("[1000]"), "parameter_invalid", "amount"),
    "an object": (raw('{"value":1000}'), "parameter_invalid", "amount"),
    "zero": (raw("0"), "amount_too_small", "amount"),
    "minus zero": (raw("-0"), "amount_too_small", "amount"),
    "minus one": (raw("-1"), "amount_too_small", "amount"),
    "-2^63": (raw(str(-(2**63))), "amount_too_small", "amount"),
    "-2^64": (raw(str(-(2**64))), "amount_too_small", "amount"),
    "one above the limit": (raw("100000000"), "amount_too_large", "amount"),
    "2^53": (raw(str(2**53)), "amount_too_large", "amount"),
    "2^63": (raw(str(2**63)), "amount_too_large", "amount"),
    "2^64": (raw(str(2**64)), "amount_too_large", "amount"),
    "39 digits": (raw("9" * 39), "amount_too_large", "amount"),
    "US": (body(currency="US"), "currency_unknown", "currency"),
    "XXX": (body(currency="XXX"), "currency_unknown", "currency"),
    "xxx": (body(currency="xxx"), "currency_unknown", "currency"),
    "upper case": (body(currency="USD"), "currency_unknown", "currency"),
    "a homoglyph": (body(currency="uѕd"), "currency_unknown", "currency"),
    "full-width": (body(currency="ｕｓｄ"), "currency_unknown", "currency"),
    "with a space": (body(currency="usd "), "currency_unknown", "currency"),
    "gold": (body(currency="xau"), "currency_unknown", "currency"),
    "no currency at all": (body(currency=""), "currency_unknown", "currency"),
    "a currency by number": (body(currency=840), "parameter_invalid", "currency"),
    "status": (body(status="succeeded"), "parameter_unknown", "status"),
    "amount_received": (body(amount_received=1000), "parameter_unknown", "amount_received"),
    "account": (body(account="acct_other000"), "parameter_unknown", "account"),
    "id": (body(id="pi_mine"), "parameter_unknown", "id"),
    "Amount": (body(Amount=1), "parameter_unknown", "Amount"),
    "__proto__": (body(__proto__={}), "parameter_unknown", "__proto__"),
    "a capture method there isn't": (body(capture_method="by hand"), "parameter_invalid", "capture_method"),
    "a usage there isn't": (body(setup_future_usage="on_session"), "parameter_invalid", "setup_future_usage"),
    "metadata as a list": (body(metadata=["a"]), "parameter_invalid", "metadata"),
    "metadata as text": (body(metadata="a=b"), "parameter_invalid", "metadata"),
    "nested metadata": (body(metadata={"a": {"b": "c"}}), "parameter_invalid", "metadata.a"),
    "a number in metadata": (body(metadata={"a": 1}), "parameter_invalid", "metadata.a"),
    "null in metadata": (body(metadata={"a": None}), "parameter_invalid", "metadata.a"),
    "51 keys": (body(metadata={f"key{n}": "" for n in range(51)}), "metadata_invalid", "metadata"),
    "41 characters of a key": (body(metadata={"k" * 41: ""}), "metadata_invalid", "metadata"),
    "an empty key": (body(metadata={"": "a"}), "metadata_invalid", "metadata"),
    "501 characters": (body(metadata={"a": "b" * 501}), "metadata_invalid", "metadata.a"),
    "more than 8 KiB": (body(metadata={f"k{n}": "é" * 500 for n in range(9)}), "metadata_invalid", "metadata"),
    "a card number": (body(metadata={"a": CARD}), "card_number_in_text", "metadata.a"),
    "a card number in groups": (body(metadata={"a": "card 4242 4242 4242 4242"}), "card_number_in_text", "metadata.a"),
    "a card number with dashes": (body(metadata={"a": "3782-822463-10005"}), "card_number_in_text", "metadata.a"),
    "a card number in full-width": (
        body(metadata={"a": "４２４２４２４２４２４２４２４２"}),
        "card_number_in_text",
        "metadata.a",
    ),
    "a card number as a key": (body(metadata={CARD: "a"}), "card_number_in_text", "metadata"),
    "a card number described": (body(description=f"for {CARD}"), "card_number_in_text", "description"),
    "a card number on the statement": (body(statement_descriptor=CARD), "card_number_in_text", "statement_descriptor"),
    "a card number in a URL": (
        body(return_url=f"https://shop.example/?c={CARD}"),
        "card_number_in_text",
        "return_url",
    ),
    "1 001 characters described": (body(description="a" * 1001), "parameter_invalid", "description"),
    "four characters on the statement": (on_statement("four"), "parameter_invalid", STATEMENT),
    "23 characters on the statement": (on_statement("a" * 23), "parameter_invalid", STATEMENT),
    "an umlaut on the statement": (on_statement("Teestübe"), "parameter_invalid", STATEMENT),
    "a newline on the statement": (on_statement("Teehaus\n"), "parameter_invalid", STATEMENT),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_that_do_not_fit(create: Create, name: str) -> None:
    sent, code, param = FIELDS[name]
    answer = create(sent)
    answer.refused(400, code, param)
    assert CARD not in answer.body.decode()


@pytest.mark.parametrize("query", ["amount=1", "client_secret=x", "a", "&"])
def test_queries_that_no_route_knows(wire: Wire, signer: Signer, tea: Merchant, query: str) -> None:
    """What is not understood is refused everywhere, so that nobody thinks it was heeded."""
    intent = tea.client.payment_intents.list()["data"][0]["id"]
    routes = ["GET /v1/ping", "GET /v1/balance", "GET /v1/events/evt_1", "GET /v1/idempotency_keys/k"]
    routes += ["GET /v1/webhook_endpoints", "GET /v1/webhook_endpoints/we_1", "DELETE /v1/webhook_endpoints/we_1"]
    routes += [f"GET /v1/payment_intents/{intent}", f"GET /v1/payment_intents/{intent}/stream"]
    routes += ["POST /v1/payment_intents", "POST /v1/webhook_endpoints"]
    for route in routes:
        method, path = route.split()
        target = f"{path}?{query}".encode()
        answer = wire.ask(whole(method, target, signer.headers(method, target, idempotency_key=token_hex(8))))
        answer.refused(400, "parameter_unknown" if "=" in query else "parameter_invalid")


@pytest.mark.parametrize("name", ["4242424242424242", "status\r\nX-Evil: 1", "<script>", "a" * 5000, "é", " "])
def test_a_strange_fields_name_is_not_repeated(create: Create, name: str) -> None:
    answer = create(body(**{name: "x"}))
    answer.refused(400, "parameter_unknown")
    assert name not in json.dumps(answer.error, ensure_ascii=False).replace(" is ", "").replace(" ", "·")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/back",
        "shop.example",
        "http://shop.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "https://",
        "https:shop.example",
        "https:///shop.example",
        "https://shop.example@evil.example",
        "https://shop.example\\@evil.example",
        "https://evil.example\\.shop.example",
        "https://shop.example/\r\nX: 1",
        "https://shop.example/ a",
        "https://shop.example:99999",
        "https://[::1",
        "https://münchen.example",
        "",
    ],
)
def test_return_urls_that_lead_astray(create: Create, url: str) -> None:
    create(body(return_url=url)).refused(400, "url_not_allowed", "return_url")


def test_a_return_url_with_a_user_is_told_what_is_wrong(create: Create) -> None:
    answer = create(body(return_url="https://user@shop.example/back"))
    answer.refused(400, "url_not_allowed", "return_url")
    assert "without user or password" in answer.error["message"]


@pytest.mark.parametrize("headers", MEDIA, ids=lambda headers: "; ".join(f"{k}: {v}" for k, v in headers.items()))
def test_media_that_are_not_plain_json(create: Create, headers: dict[str, str]) -> None:
    create(body(), **headers).refused(415, "unsupported_media_type")


def test_a_gzip_body(create: Create) -> None:
    create(gzip.compress(body()), **{"Content-Encoding": "gzip"}).refused(415, "unsupported_media_type")
    create(gzip.compress(body())).refused(400, "malformed_json")
