"""A merchant's requests to the PSP: in memory and over HTTP."""

import json
from typing import Any

from paydesk_sandbox.psp.answers import Answer
from paydesk_sandbox.psp.rules import Call, Psp

NOW_MS = 1_700_000_000_000  # November 2023
PAYS = "4242424242424242"


def charge_body(number: str = PAYS, **fields: Any) -> bytes:
    """The body of a charge that is fine but for what `fields` and `card` change."""
    card = {"number": number, "exp_month": 12, "exp_year": 2044, "cvc": "123", "name": "Ada Example"}
    body = {"reference": "at_1", "amount": 1999, "currency": "usd", "capture": True}
    return json.dumps({**body, "card": {**card, **fields.pop("card", {})}, **fields}).encode()


def charge_call(body: bytes, key: str = "key-1", merchant: str = "psp_key") -> Call:
    return Call(method="POST", path="/v1/charges", authorisation=f"Bearer {merchant}", idempotency_key=key, body=body)


def change_call(
    charge_id: str, verb: str, body: object = None, *, key: str = "key-2", merchant: str = "psp_key"
) -> Call:
    """A capture, a release, a refund."""
    path = f"/v1/charges/{charge_id}/{verb}"
    said = json.dumps({} if body is None else body).encode()
    return Call(method="POST", path=path, authorisation=f"Bearer {merchant}", idempotency_key=key, body=said)


def look_up_call(query: str = "", path: str = "/v1/charges", merchant: str = "psp_key") -> Call:
    return Call(method="GET", path=path, query=query, authorisation=f"Bearer {merchant}")


def ask(psp: Psp, call: Call, now_ms: int = NOW_MS) -> Answer | None:
    """What a caller without patience gets: the rules from arrival to answer, all at one moment."""
    return psp.act(call, psp.meet(call, now_ms), now_ms)


def answered(psp: Psp, call: Call, now_ms: int = NOW_MS) -> tuple[int, Any]:
    """Status and JSON body. Fails where nothing is answered."""
    answer = ask(psp, call, now_ms)
    assert answer is not None
    return answer.status, json.loads(answer.body)


def made(psp: Psp, number: str = PAYS, key: str = "made", now_ms: int = NOW_MS, **fields: Any) -> Any:
    """A charge, as it was answered."""
    return answered(psp, charge_call(charge_body(number, **fields), key), now_ms)[1]


def held(psp: Psp, key: str = "held", **fields: Any) -> Any:
    """An authorised charge."""
    return made(psp, key=key, capture=False, **fields)


def shown(psp: Psp, charge_id: str, now_ms: int = NOW_MS) -> Any:
    """A charge, as a look-up finds it."""
    return answered(psp, look_up_call(path=f"/v1/charges/{charge_id}"), now_ms)[1]


def refusal(psp: Psp, call: Call, now_ms: int = NOW_MS) -> tuple[int, str]:
    """Status and code of an error."""
    status, body = answered(psp, call, now_ms)
    return status, body["error"]["code"]
