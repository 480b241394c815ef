"""Card numbers where none belongs: in every field, header and address that a merchant or a browser fills in."""

import json

from tests.leaks.play import Play

FIELDS = ("description", "statement_descriptor", "return_url", "currency", "capture_method", "amount")


def put_numbers_everywhere(play: Play) -> None:
    """Each with a card of its own, and refused."""
    in_fields(play)
    in_broken_bodies(play)
    in_later_requests(play)
    in_idempotency_keys(play)
    in_endpoints(play)
    in_confirms(play)
    in_addresses(play)
    in_headers(play)


def in_fields(play: Play) -> None:
    whole = {"amount": 4200, "currency": "usd"}
    for field in FIELDS:
        number = play.marks.card(f"the field {field}").number
        value = int(number) if field == "amount" else f"https://x.example/{number}" if field == "return_url" else number
        _refused(play, whole | {field: value})
    for grouping in (" ", "-"):
        number = play.marks.card("a number in groups", "5105105105105100").number
        _refused(play, whole | {"description": grouping.join(number[at : at + 4] for at in range(0, 16, 4))})
    number = play.marks.card("metadata's value").number
    _refused(play, whole | {"metadata": {"note": f"card {number} please"}})
    number = play.marks.card("metadata's key").number
    _refused(play, whole | {"metadata": {number: "x"}})
    number = play.marks.card("metadata that is no text").number
    _refused(play, whole | {"metadata": {number: {"card": number}}})
    mark = play.marks.card("an unknown field")
    _refused(play, whole | {"card": {"number": mark.number, "cvc": mark.cvc}})
    _refused(play, whole | {play.marks.card("an unknown field's name").number: 1})
    mark = play.marks.card("a field of another type")
    _refused(play, whole | {"currency": {"number": mark.number, "cvc": mark.cvc}})


def in_broken_bodies(play: Play) -> None:
    for what, body in (
        ("no JSON", '{{"amount": 4200, "card": {number}'),
        ("a key twice", '{{"n{number}": 1, "n{number}": 2}}'),
        ("a list", '["{number}"]'),
        ("a form", "number={number}&cvc={cvc}"),
        ("bytes that are no text", '{{"card": "{number}\udcff"}}'),
        ("a float", '{{"amount": {number}.5, "currency": "usd"}}'),
    ):
        mark = play.marks.card(f"a body with {what}")
        body = body.format(number=mark.number, cvc=mark.cvc).encode("utf-8", "surrogateescape")
        answer = play.create(body)
        assert answer.status_code == 400, answer.text


def in_later_requests(play: Play) -> None:
    """What is asked of a payment that is there: changes, its saved card, capture, cancel, refund."""
    intent = play.open()["id"]
    path = f"/v1/payment_intents/{intent}"
    for where, field in (
        (path, "description"),
        (path, "statement_descriptor"),
        (path, "payment_method"),
        (path, "metadata"),
        (f"{path}/confirm", "payment_method"),
        (f"{path}/capture", "amount_to_capture"),
        (f"{path}/cancel", "cancellation_reason"),
        ("/v1/refunds", "payment_intent"),
        ("/v1/refunds", "reason"),
        ("/v1/refunds", "metadata"),
    ):
        number = play.marks.card(f"{where.removeprefix(path)}'s {field}").number
        value = int(number) if field == "amount_to_capture" else {"note": number} if field == "metadata" else number
        rest = {"payment_intent": intent} if where == "/v1/refunds" else {}
        answer = play.change(where, rest | {field: value})
        assert answer.status_code in (400, 404), answer.text


def in_idempotency_keys(play: Play) -> None:
    """Of a change, whose key is kept."""
    for form in ("{}", "order-{}", "{}.1"):
        number = play.marks.card("an idempotency key").number
        answer = play.create({"amount": 4200, "currency": "usd"}, form.format(number))
        assert answer.status_code == 400, answer.text


def in_endpoints(play: Play) -> None:
    for field in ("url", "description", "ordering"):
        number = play.marks.card(f"an endpoint's {field}").number
        value = f"https://x.example/{number}" if field == "url" else number
        body = {"url": "https://x.example/hooks"} | {field: value}
        assert play.server.post("/v1/webhook_endpoints", json=body).status_code == 400
    number = play.marks.card("an endpoint's events").number
    body = {"url": "https://x.example/hooks", "enabled_events": [number]}
    assert play.server.post("/v1/webhook_endpoints", json=body).status_code == 400


def in_confirms(play: Play) -> None:
    """A frame that forgets to encrypt."""
    intent = play.open()
    mark = play.marks.card("a card as JSON")
    card = {"number": mark.number, "cvc": mark.cvc, "exp_month": 12, "exp_year": 2030}
    assert play.confirm(intent, card).status_code == 400
    assert play.confirm(intent, json.dumps(card)).status_code == 400
    assert play.confirm_body(intent, card).status_code == 400
    assert play.confirm(intent, mark.number).status_code == 400
    assert play.confirm(intent, "x", number=mark.number).status_code == 400
    assert play.confirm_body(intent, f"number={mark.number}&cvc={mark.cvc}".encode()).status_code == 400


def in_addresses(play: Play) -> None:
    intent = play.open()
    for path in (
        "/v1/payment_intents/{number}",
        "/v1/payment_intents/pi_{number}",
        "/v1/payment_intents?limit={number}",
        "/v1/payment_intents?starting_after={number}",
        "/v1/payment_intents?{number}=1",
        "/v1/events?starting_after={number}",
        "/v1/idempotency_keys/{number}",
        "/{number}",
    ):
        number = play.marks.card(f"the address {path}").number
        assert play.server.get(path.format(number=number)).status_code in (400, 404)
    for path in ("/checkout/{number}", "/checkout/{number}/session", "/v1/payment_intents/{id}/status?after={number}x"):
        number = play.marks.card(f"the address {path}").number
        answer = play.get(path.format(number=number, id=intent["id"]), intent)
        assert answer.status_code in (400, 401, 404), answer.text


def in_headers(play: Play) -> None:
    for name in ("authorization", "x-request-nonce", "x-signature", "x-request-timestamp"):
        number = play.marks.card(f"the header {name}").number
        headers = {name: f"Bearer {number}" if name == "authorization" else number}
        assert play.browser.get("/v1/ping", headers=headers).status_code in (400, 401)
    intent = play.open()
    for name in ("last-event-id", "if-none-match", "user-agent", "accept-language", "x-forwarded-for"):
        number = play.marks.card(f"the header {name}").number
        headers = {"authorization": f"Bearer {intent['client_secret']}", name: number}
        answer = play.browser.get(f"/v1/payment_intents/{intent['id']}/status", headers=headers)
        assert answer.status_code == 200, answer.text
    number = play.marks.card("the method").number
    assert play.browser.request(f"X{number}", "/v1/ping").status_code in (400, 405)
    number = play.marks.card("the client secret").number
    answer = play.get(f"/checkout/{intent['id']}/session", {"client_secret": f"{intent['id']}_secret_{number}"})
    assert answer.status_code == 401


def _refused(play: Play, body: object) -> None:
    answer = play.create(body)
    assert answer.status_code == 400, answer.text
