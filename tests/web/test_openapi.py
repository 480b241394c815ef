"""The description: valid OpenAPI 3.1, whole, and true to what handlers read and answer."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from paydesk.errors import CODES
from paydesk.requests import signature
from paydesk.store.ids import make_id
from paydesk.web.openapi import PARTS, description
from paydesk.web.routes import ROUTES, Route, refusals

ORIGIN = "https://pay.example"
API: dict[str, Any] = json.loads(description(ORIGIN))
DESCRIBED = [route for route in ROUTES if route.media]


def refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = list(node.values())
    for part in node if isinstance(node, list) else []:
        yield from refs(part)


def follow(place: str) -> Any:
    found = API
    for name in place.removeprefix("#/").split("/"):
        found = found[name]
    return found


def operation(route: Route) -> dict[str, Any]:
    return API["paths"][route.path][route.method.lower()]


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def calls_of(route: Route) -> dict[str, ast.Call]:
    """What the handler calls, by name: its own lines alone."""
    source = ast.parse(textwrap.dedent(inspect.getsource(route.handler)))
    return {ast.unparse(node.func): node for node in ast.walk(source) if isinstance(node, ast.Call)}


def test_it_is_openapi_3_1() -> None:
    assert API["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(json.loads(description(ORIGIN))).validate()


def test_a_description_that_is_not_is_seen() -> None:
    broken = json.loads(description(ORIGIN))
    broken["paths"]["/v1/ping"]["get"]["parameters"].append({"name": "x"})
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_reference_leads_somewhere() -> None:
    found = set(refs(API))
    assert len(found) > 20
    for place in found:
        assert follow(place), place


def test_every_schema_is_referred_to() -> None:
    unused = {f"#/components/schemas/{name}" for name in API["components"]["schemas"]} - set(refs(API))
    assert not unused


def test_every_route_of_merchants_and_shoppers_is_in_it() -> None:
    wanted = {
        (r.path, r.method.lower())
        for r in ROUTES
        if r.path.startswith(("/v1/", "/checkout/", "/psp/", "/livez", "/readyz"))
    }
    told = {(path, method) for path, item in API["paths"].items() for method in item}
    assert told == wanted
    assert API["servers"] == [{"url": ORIGIN}]


def test_operations_have_names_of_their_own_and_a_sentence() -> None:
    told = [operation(route) for route in DESCRIBED]
    assert len({one["operationId"] for one in told}) == len(told)
    assert all(re.fullmatch(r"[A-Z].{8,}\.", one["summary"]) for one in told)
    assert {tag for one in told for tag in one["tags"]} == {tag["name"] for tag in API["tags"]}


@pytest.mark.parametrize("route", DESCRIBED, ids=named)
def test_security_is_what_the_handler_checks(route: Route) -> None:
    checks = {"caller": "signature", "shopper": "client_secret", "anyone": "either"}
    assert next((checks[name] for name in calls_of(route) if name in checks), "none") == route.security
    ways = {"signature": [["key", "timestamp", "nonce", "signature"]], "client_secret": [["client_secret"]], "none": []}
    ways["either"] = ways["signature"] + ways["client_secret"]
    assert [list(way) for way in operation(route)["security"]] == ways[route.security]
    assert all(scheme in API["components"]["securitySchemes"] for way in ways[route.security] for scheme in way)


@pytest.mark.parametrize("route", DESCRIBED, ids=named)
def test_the_idempotency_key_is_what_the_handler_wants(route: Route) -> None:
    caller = calls_of(route).get("caller")
    wants = caller is not None and "needs_idempotency_key=True" in ast.unparse(caller)
    told = {one["name"]: one["required"] for one in operation(route)["parameters"] if one["name"] == "Idempotency-Key"}
    honours = caller is not None and "once" in ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(route.handler))))
    assert told == ({"Idempotency-Key": wants} if honours else {})


@pytest.mark.parametrize("route", DESCRIBED, ids=named)
def test_parameters_are_those_that_the_handler_reads(route: Route) -> None:
    calls = calls_of(route)
    read = (
        {ast.literal_eval(argument) for argument in calls["call.parameters"].args}
        if "call.parameters" in calls
        else set()
    )
    read |= {"limit", "starting_after", "ending_before"} if "listed" in calls else set()
    told = operation(route)["parameters"]
    assert {one["name"] for one in told if one["in"] == "query"} == read
    assert [one["name"] for one in told if one["in"] == "path"] == re.findall(r"{(\w+)}", route.path)


@pytest.mark.parametrize("route", DESCRIBED, ids=named)
def test_the_body_is_what_the_handler_decodes(route: Route) -> None:
    decode = calls_of(route).get("decode")
    content = operation(route).get("requestBody", {}).get("content", {})
    if decode is None:
        assert not content
    else:
        assert content == {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{ast.unparse(decode.args[1])}"}}
        }


@pytest.mark.parametrize("route", DESCRIBED, ids=named)
def test_refusals_are_codes_of_the_table_and_of_one_shape(route: Route) -> None:
    assert set(route.refusals) <= CODES.keys()
    responses = operation(route)["responses"]
    for status, codes in refusals(route).items():
        assert all(CODES[code].status == status for code in codes)
        assert responses[str(status)]["description"] == ", ".join(f"`{code}`" for code in codes)
    errors = [answer["$ref"] for status, answer in responses.items() if status[0] in "45d"]
    assert len(errors) == len(refusals(route)) + 1
    assert set(errors) == {"#/components/responses/Error"}


@pytest.mark.parametrize(("part", "prefix"), [("intent", "pi"), ("event", "evt"), ("endpoint", "we")])
def test_ids_have_the_form_of_their_part(part: str, prefix: str) -> None:
    form = PARTS[part][1]
    assert re.search(form, make_id(prefix, "0az9kmnp", 1_700_000_000_000, 4095, 2**62 - 1))
    assert not re.search(form, make_id("xx", "0az9kmnp", 1_700_000_000_000, 0, 0))


def test_idempotency_keys_have_the_form_that_signatures_read() -> None:
    read = signature._FORMS[b"idempotency-key"][1]
    for key in ("order-1001", "a" * 255, "A.b_c:d-9", "a" * 256, "", "ä", "a b"):
        assert bool(re.search(PARTS["key"][1], key)) == bool(read.fullmatch(key.encode())), key
