"""The schemas: what rooms really render fits them, and they are made as they promise."""

import json
from pathlib import Path
from typing import Annotated, Any

import jsonschema_rs
import msgspec
import pytest
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from paydesk.errors import CODES, Refusal
from paydesk.payments.rows import Intent
from paydesk.payments.shapes import PaymentError, error_json, render, reveal, shopper_view
from paydesk.vault.keys import CardKeys
from paydesk.web.openapi import description
from paydesk.web.schemas import components, reference

API: dict[str, Any] = json.loads(description("https://pay.example"))
SAMPLES = sorted((Path(__file__).parents[2] / "webhooks" / "events").glob("*.sample.json"))

INTENT = Intent(
    account="acct_00000000",
    id="pi_" + "0" * 34,
    amount_minor=1999,
    currency="usd",
    capture_method="automatic",
    status="requires_payment_method",
    livemode=0,
    created_ms=1_700_000_000_000,
)


def check(name: str, value: Any) -> None:
    """`value` fits the schema of this name and holds nothing that the schema does not name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": API["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(value)
    assert not value.keys() - API["components"]["schemas"][name]["properties"].keys()


@pytest.mark.parametrize("name", API["components"]["schemas"])
def test_schemas_are_schemas(name: str) -> None:
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema"} | follow_schema(name))


def follow_schema(name: str) -> dict[str, Any]:
    return API["components"]["schemas"][name]


def test_the_error_schema_is_that_of_refusals() -> None:
    shopper = msgspec.json.encode(shopper_view(INTENT, "Shop"))
    plain = Refusal("nonce_reused")
    full = Refusal(
        "card_declined",
        param="card",
        decline_code="lost_card",
        server_time="now",
        payment_intent=shopper,
        explain={"a": "b"},
    )
    for refusal in (plain, full):
        answer = json.loads(refusal.body("req_0"))
        check("ErrorAnswer", answer)
        check("Error", answer["error"])
    assert set(follow_schema("Error")["properties"]["code"]["enum"]) == CODES.keys()
    with pytest.raises(jsonschema_rs.ValidationError):
        check("Error", {**json.loads(plain.body("req_0"))["error"], "code": "unheard_of"})


def test_the_intents_schema_is_that_of_intents() -> None:
    check("PaymentIntent", json.loads(reveal(render(INTENT), "pi_0_secret_0")))
    error = error_json(PaymentError(type="card_error", code="card_declined", message="No.", decline_code="lost_card"))
    open_ended = msgspec.structs.replace(INTENT, error=error, metadata='{"a":"b"}', outcome_unknown=1, next_check_ms=1)
    check("PaymentIntent", json.loads(render(open_ended)))
    check("ShopperIntent", msgspec.to_builtins(shopper_view(open_ended, "Shop")))


@pytest.mark.parametrize("wrong", [{"metadata": [1]}, {"payment_method_details": 1}, {"last_payment_error": "no"}])
def test_rendered_parts_have_their_real_schema(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        check("PaymentIntent", json.loads(render(INTENT)) | wrong)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_published_events_fit_the_schema_of_events(sample: Path) -> None:
    event = json.loads(sample.read_bytes())
    check("Event", event)
    about = event["data"]["object"]
    check(about["object"].title().replace("_", ""), about)
    assert event["type"] in API["webhooks"]


def test_card_keys_fit_their_schema() -> None:
    keys = CardKeys(random=lambda count: bytes(count))
    keys.current(0)
    check("CardKeySet", json.loads(keys.jwks()))


class Inner(Struct, kw_only=True):
    """Inside."""

    deep: int = 0


class Outer(Struct, kw_only=True):
    """Outside."""

    held: Inner | Raw
    """What the bytes
    hold."""
    several: list[Inner] | Raw | None
    absent: str | UnsetType = UNSET
    short: Annotated[str, Meta(max_length=3)] = "a"


class Above(Outer, kw_only=True):
    """Has its sentence from the class below."""


def test_a_default_is_optional_when_asked_and_always_told() -> None:
    asked, told = components(requests=[Outer], answers=[])["Outer"], components(requests=[], answers=[Outer])["Outer"]
    assert asked["required"] == ["held", "several"]
    assert asked["properties"]["short"] == {"type": "string", "maxLength": 3, "default": "a"}
    assert told["required"] == ["held", "several", "short"]
    assert told["properties"]["short"] == {"type": "string", "maxLength": 3}


def test_raw_gives_way_to_what_stands_beside_it() -> None:
    found = components(requests=[], answers=[Above])
    inner = {"$ref": "#/components/schemas/Inner"}
    assert found["Above"]["properties"]["held"] == inner | {"description": "What the bytes hold."}
    assert found["Above"]["properties"]["several"] == {"anyOf": [{"type": "array", "items": inner}, {"type": "null"}]}
    assert found["Inner"]["required"] == ["deep"]


def test_a_union_refers_to_each() -> None:
    assert reference(Inner | Outer) == {"anyOf": [reference(Inner), reference(Outer)]}
