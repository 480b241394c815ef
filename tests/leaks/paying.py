"""Every way in which a payment ends, each with a card of its own."""

import base64
import json
import secrets
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.leaks.play import Play

ODDLY_ANSWERED = {
    "lost_after": {"delay_ms": 50},
    "lost_before": {"delay_ms": 50},
    "status": {},
    "status_after": {},
    "garbage": {},
    "wrong_amount": {},
    "reset": {},
    "late": {"delay_ms": 200},
}
"""Faults of the PSP."""


def pay_in_every_way(play: Play) -> None:
    """Paid, declined, unknown, not sent, refused, killed; the outcomes that stay open are waited for."""
    paid(play)
    declined(play)
    oddly_answered(play)
    not_reached(play)
    unpayable_cards(play)
    bad_payloads(play)
    through_the_shop(play)
    killed(play)


def paid(play: Play) -> None:
    for _ in range(8):  # One of each brand and length.
        intent = play.open()
        mark = play.marks.card("paid")
        sealed = play.seal(intent, mark)
        assert play.confirm(intent, sealed).json()["status"] == "succeeded"
        assert play.confirm(intent, sealed).status_code == 200  # A repeat, whose answer may be kept somewhere.
        for what in ("status", "stream"):
            assert play.get(f"/v1/payment_intents/{intent['id']}/{what}", intent).status_code == 200
        assert play.server.get(f"/v1/payment_intents/{intent['id']}").status_code == 200
        play.merchant.receiver.wait_for("payment_intent.succeeded", intent["id"])
    for path in ("/v1/events", "/v1/payment_intents", "/v1/balance", "/v1/webhook_endpoints"):
        assert play.server.get(path).status_code == 200


def declined(play: Play) -> None:
    for number in ("4000000000000002", "4000000000000127", "4100000000000019"):
        intent = play.open()
        mark = play.marks.card("declined", number)
        assert play.confirm(intent, play.seal(intent, mark)).status_code == 402
        play.merchant.receiver.wait_for("payment_intent.payment_failed", intent["id"])


def oddly_answered(play: Play) -> None:
    """The PSP answers late, wrongly or not at all; the duty that asks again has no card."""
    open_ones: list[str] = []
    for fault, how in ODDLY_ANSWERED.items():
        intent = play.open()
        sealed = play.seal(intent, play.marks.card(f"a PSP that does {fault}"))
        assert httpx.post(f"{play.stage.psp}/faults", json={"fault": fault, **how}).status_code == 200
        answer = play.confirm(intent, sealed)
        assert answer.status_code in (200, 202), answer.text
        if answer.status_code == 202:
            open_ones.append(intent["id"])
    assert open_ones
    for intent_id in open_ones:
        ended_well = intent_id not in _never_charged(play, open_ones)
        kind = "succeeded" if ended_well else "payment_failed"
        play.merchant.receiver.wait_for(f"payment_intent.{kind}", intent_id)


def _never_charged(play: Play, intents: list[str]) -> list[str]:
    charges = httpx.get(f"{play.stage.psp}/books").json()["charges"]
    charged = {charge["reference"] for charge in charges}
    read = {intent: play.server.get(f"/v1/payment_intents/{intent}").json() for intent in intents}
    return [intent for intent, now in read.items() if now["latest_attempt"] not in charged]


def not_reached(play: Play) -> None:
    """Nobody listens at the PSP."""
    intent = play.open()
    sealed = play.seal(intent, play.marks.card("a PSP that is gone"))
    assert httpx.post(f"{play.stage.psp}/faults", json={"fault": "refuse", "for_ms": 500}).status_code == 200
    answer = play.confirm(intent, sealed)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "psp_unavailable")
    while not _listens(f"{play.stage.psp}/livez"):
        pass


def _listens(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def unpayable_cards(play: Play) -> None:
    """Cards that can be read and not be charged, each refused with its field."""
    intent = play.open()
    for other, code in (
        ({"exp_year": 2001}, "expired_card"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 9999}, "invalid_expiry_year"),
    ):
        answer = play.confirm(intent, play.seal(intent, play.marks.card(code), **other))
        assert (answer.status_code, answer.json()["error"]["code"]) == (402, code)
    mark = play.marks.card("a wrong digit")
    wrong = mark.number[:-1] + str((int(mark.number[-1]) + 1) % 10)
    assert play.confirm(intent, play.seal(intent, mark, number=wrong)).status_code == 402
    mark = play.marks.card("a short CVC")
    assert play.confirm(intent, play.seal(intent, mark, cvc=mark.cvc[:2])).status_code == 402
    assert play.confirm(intent, play.seal(intent, play.marks.card("a strange CVC", strange=True))).status_code == 402
    mark = play.marks.card("a CVC in letters")
    assert play.confirm(intent, play.seal(intent, mark, cvc=mark.cvc + "x")).status_code == 402


def bad_payloads(play: Play) -> None:
    """What no honest frame sends."""
    intent, other = play.open(), play.open()
    mark = play.marks.card("another intent")
    _refused(play, intent, play.seal(other, mark))
    for name, wrong in (
        ("origin", {"origin": "https://evil.example"}),
        ("iat", {"iat": 1}),
        ("v", {"v": 2}),
        ("an unknown field", {"pan": play.marks.card("an unknown field").number}),
        ("a number that is a number", {"number": int(play.marks.card("a number that is a number").number)}),
        ("a CVC that is a number", {"cvc": 123}),
        ("a month that is text", {"exp_month": "12"}),
        ("a jti that is a card", {"jti": play.marks.card("a jti that is a card").number + " "}),
        ("a name that is none", {"name": "\x00"}),
    ):
        _refused(play, intent, play.seal(intent, play.marks.card(f"bad payload: {name}"), **wrong))
    mark = play.marks.card("a flipped byte")
    sealed = play.seal(intent, mark)
    _refused(play, intent, sealed[:-1] + ("A" if sealed[-1] != "A" else "B"))
    mark = play.marks.card("no JSON inside")
    _refused(play, intent, play.seal_text(f"number={mark.number}&cvc={mark.cvc}"))
    mark = play.marks.card("not sealed at all")
    card = json.dumps({"number": mark.number, "cvc": mark.cvc}).encode()
    plain = base64.urlsafe_b64encode(card).decode().rstrip("=")
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    _refused(play, intent, f"{header}..{plain}.{plain}.")
    jti = secrets.token_hex(10)
    same = play.seal(intent, play.marks.card("one jti twice, first"), jti=jti)
    answer = play.confirm(intent, same)
    assert answer.status_code == 200, answer.text
    _refused(play, other, play.seal(other, play.marks.card("one jti twice, then"), jti=jti))


def _refused(play: Play, intent: dict[str, str], sealed: str) -> None:
    answer = play.confirm(intent, sealed)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "card_payload_invalid"), answer.text


def through_the_shop(play: Play) -> None:
    """An order at the demo shop, and its pages."""
    shop = httpx.Client(base_url=play.others.shop, event_hooks={"response": [play.keep]}, trust_env=False)
    with shop:
        order = shop.post("/orders", json={"items": [{"sku": "tea"}]}).json()
        intent = {"id": order["payment_intent"], "client_secret": order["client_secret"]}
        play.client_secrets.append(order["client_secret"])
        assert play.confirm(intent, play.seal(intent, play.marks.card("the shop"))).status_code == 200
        play.merchant.receiver.wait_for("payment_intent.succeeded", intent["id"])
        for path in ("/", f"/orders/{order['order']}", f"/orders/{order['order']}.json", "/books"):
            assert shop.get(path).status_code == 200


def killed(play: Play) -> None:
    """SIGKILL while the PSP is being asked: what the next start finds holds no card."""
    intent = play.open()
    sealed = play.seal(intent, play.marks.card("a killed server"))
    fault = {"fault": "late", "delay_ms": 400}
    assert httpx.post(f"{play.stage.psp}/faults", json=fault).status_code == 200
    port, server = play.stage.port, play.stage.server
    assert server
    with ThreadPoolExecutor(1) as clicks:
        asked = clicks.submit(play.confirm, intent, sealed)
        _until_charged(play, "late")
        server.stop(signal.SIGKILL)
        assert isinstance(asked.exception(), httpx.TransportError)
    play.stage.start(port)
    play.merchant.receiver.wait_for("payment_intent.succeeded", intent["id"])
    assert play.confirm(intent, sealed).status_code == 200


def _until_charged(play: Play, fault: str) -> None:
    """Until the PSP has met this fault for the last time that was ordered."""
    while httpx.get(f"{play.stage.psp}/faults").json()["waiting"]:
        pass
