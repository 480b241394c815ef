"""Schemas and samples stand in pairs and agree; a schema refuses what it should."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from paydesk_client import sign_webhook, verify_webhook

WEBHOOKS = Path(__file__).parents[2] / "webhooks"
EVENTS = WEBHOOKS / "events"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TYPES = sorted(path.name.removesuffix(".sample.json") for path in EVENTS.glob("*.sample.json"))
PROMISED = {
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.canceled",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.amount_capturable_updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "late_payment.created",
    "late_payment.updated",
    "webhook_endpoint.disabled",
    "charge.dispute.created",
    "charge.dispute.closed",
}


def sample(type_: str) -> Any:
    return json.loads((EVENTS / f"{type_}.sample.json").read_bytes())


def schema(type_: str) -> Any:
    return json.loads((EVENTS / f"{type_}.schema.json").read_bytes())


def validator(type_: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema(type_))


def test_schema_and_sample_stand_in_pairs() -> None:
    names = {path.name for path in EVENTS.iterdir()}
    assert names == {f"{type_}.{kind}.json" for type_ in TYPES for kind in ("schema", "sample")}
    assert set(TYPES) >= PROMISED


def test_the_readme_names_every_type() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \|", (WEBHOOKS / "README.md").read_text(), re.MULTILINE)
    assert sorted(rows) == TYPES


@pytest.mark.parametrize("type_", TYPES)
def test_the_sample_fits_its_schema(type_: str) -> None:
    event = sample(type_)
    validator(type_).validate(event)
    assert event["type"] == type_
    assert schema(type_)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert event["sequence"] == event["data"]["object"]["event_sequence"]
    assert (event["sequence"] == 1) == (event["previous_event_id"] is None)


@pytest.mark.parametrize("type_", TYPES)
def test_no_schema_is_looser_than_it_says(type_: str) -> None:
    """Every object refuses what it does not list; only metadata, which is the merchant's, has names of its own."""
    open_ones = [path for path, node in nodes(schema(type_)) if node.get("type") == "object" and is_open(node)]
    assert [path[-1] for path in open_ones] in ([], ["last_payment_error"], ["next_action"])


def is_open(node: dict[str, Any]) -> bool:
    return node.get("additionalProperties") not in (False, {"type": "string", "maxLength": 500})


def nodes(node: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(node, list):
        return [found for index, inner in enumerate(node) for found in nodes(inner, (*path, str(index)))]
    if not isinstance(node, dict):
        return []
    inside = [found for name, inner in node.items() for found in nodes(inner, (*path, name))]
    return [(path, node), *inside]


def test_an_object_is_described_alike_everywhere() -> None:
    """Each schema is whole by itself, so that one file can be copied; what they share must not drift apart."""
    for about in {type_.rpartition(".")[0] for type_ in TYPES}:
        described = [schema(type_)["$defs"] for type_ in TYPES if type_.rpartition(".")[0] == about]
        assert all(one == other for one, other in pairwise(described)), about
    envelopes = [{**schema(type_)["properties"], "type": None, "data": None} for type_ in TYPES]
    assert all(one == other for one, other in pairwise(envelopes))


Change = Callable[[Any], object]
WRONG: list[tuple[str, Change]] = [
    ("unknown field", lambda event: event.update(surprise=1)),
    ("unknown field of the intent", lambda event: event["data"]["object"].update(client_secret="pi_1_secret_1")),
    ("unknown field of the card", lambda event: card(event).update(number="4242424242424242")),
    ("missing sequence", lambda event: event.pop("sequence")),
    ("missing mode", lambda event: event["data"]["object"].pop("livemode")),
    ("sequence 0", lambda event: event.update(sequence=0)),
    ("a type that is not this one", lambda event: event.update(type="payment_intent.paid")),
    ("a status that is not this event's", lambda event: event["data"]["object"].update(status="waiting")),
    ("a float amount", lambda event: event["data"]["object"].update(amount=19.99)),
    ("an amount of 0", lambda event: event["data"]["object"].update(amount=0)),
    ("an amount as text", lambda event: event["data"]["object"].update(amount="4200")),
    ("an upper-case currency", lambda event: event["data"]["object"].update(currency="USD")),
    ("an id with a letter Crockford left out", lambda event: event.update(id=event["id"][:-1] + "u")),
    ("another prefix", lambda event: event.update(id="pi" + event["id"][3:])),
    ("whole seconds", lambda event: event.update(timestamp="2026-01-01T09:00:57Z")),
    ("an offset for Z", lambda event: event.update(timestamp="2026-01-01T09:00:57.000+00:00")),
    ("a number in metadata", lambda event: metadata(event).update(order=1)),
    ("metadata of 501 characters", lambda event: metadata(event).update(order="x" * 501)),
    ("an outcome without a next check", lambda event: unknown_without_check(event["data"]["object"])),
]


def card(event: Any) -> Any:
    facts = {"brand": "visa", "last4": "4242", "exp_month": 1, "exp_year": 2030, "fingerprint": "f"}
    event["data"]["object"]["payment_method_details"] = {"type": "card", "card": facts}
    return facts


def metadata(event: Any) -> Any:
    return event["data"]["object"].setdefault("metadata", {})


def unknown_without_check(intent: Any) -> None:
    intent.pop("next_check_at", None)
    intent["outcome"] = "unknown"


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(("name", "change"), WRONG, ids=[name for name, _ in WRONG])
def test_a_schema_refuses(type_: str, name: str, change: Change) -> None:
    event = deepcopy(sample(type_))
    change(event)
    assert not validator(type_).is_valid(event), name


@pytest.mark.parametrize("type_", TYPES)
def test_no_sample_fits_another_types_schema(type_: str) -> None:
    assert [other for other in TYPES if validator(other).is_valid(sample(type_))] == [type_]


@pytest.mark.parametrize("type_", TYPES)
def test_a_sample_arrives_as_an_event(type_: str) -> None:
    body = (EVENTS / f"{type_}.sample.json").read_bytes()
    webhook_id = json.loads(body)["id"]
    headers = sign_webhook(body, SECRET, webhook_id=webhook_id)
    assert verify_webhook(body, headers, SECRET) == sample(type_)
    assert len(body) < 20_000


@pytest.mark.parametrize("type_", TYPES)
def test_a_sample_has_no_secret_and_no_card_number(type_: str) -> None:
    text = (EVENTS / f"{type_}.sample.json").read_text()
    assert "secret" not in text
    assert not re.search(r"[0-9]{12,}", text)


def test_the_samples_of_one_payment_follow_each_other() -> None:
    story = [sample(f"payment_intent.{name}") for name in ("created", "processing", "succeeded")]
    assert [event["sequence"] for event in story] == [1, 2, 3]
    assert [event["previous_event_id"] for event in story] == [None, story[0]["id"], story[1]["id"]]
    assert len({event["data"]["object"]["id"] for event in story}) == 1
    assert [event["id"] for event in story] == sorted(event["id"] for event in story)
