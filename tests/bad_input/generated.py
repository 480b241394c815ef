"""Made-up requests to every route: what its description allows, what it does not, and anything else."""

import json
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from msgspec.structs import fields
from schemathesis import GenerationMode

from paydesk.web.routes import Route
from tests.bad_input.asking import BY_NAME, Asker
from tests.bad_input.tally import ELSEWHERE, Tally
from tests.bad_input.wire import whole
from tests.stage.stage import SHOP
from tests.vault.seal_card import seal_bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
CARD = ("v", "number", "exp_month", "exp_year", "cvc", "name", "intent", "origin", "iat", "jti")
LUHN_FAILS = "4242424242424241"  # So that a payload which is good in all else pays nothing.
REAL_OF_4 = 3  # Of four ids so many are those of something that is there: most would end at a 404 otherwise.


class Enough(Exception):
    """The time of this strategy is over."""


class Job:
    """One strategy for one route."""

    def __init__(self, name: str, strategy: Any, send: Callable[[Any, int], None]) -> None:
        self.name = name
        self._strategy = strategy
        self._send = send

    def run(self, *, dice: int, examples: int, seconds: float) -> None:
        """At least one request is sent, if the strategy can make any."""
        until = time.monotonic() + seconds

        @seed(dice)
        @settings(
            max_examples=examples,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            deadline=None,
            database=None,
        )
        @given(made=self._strategy, pick=st.integers(0, 4 * 97 - 1))
        def one(made: Any, pick: int) -> None:
            self._send(made, pick)
            if time.monotonic() > until:
                raise Enough

        # Where a route takes nothing, nothing that it takes can be wrong.
        with suppress(Enough, Unsatisfiable), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one()


class Generated:
    """The jobs, and what they have in common."""

    def __init__(self, asker: Asker, tally: Tally) -> None:
        self._asker = asker
        self._tally = tally
        self._paydesk = asker.furnished.stage.paydesk

    def jobs(self) -> Iterator[Job]:
        """In the order of the routes."""
        schema = schemathesis.openapi.from_dict(httpx.get(f"{self._paydesk}/openapi.json").json())
        schema.config.base_url = self._paydesk
        found = [one.ok() for one in schema.get_all_operations()]
        described = {f"{one.method.upper()} {one.path}": one for one in found}
        for name, route in BY_NAME.items():
            for mode in GenerationMode if name in described else ():
                yield Job(name, described[name].as_strategy(generation_mode=mode), self._case(name, route))
            yield Job(name, st.tuples(st.text(max_size=40), st.text(max_size=40)), self._target(name, route))
            if route.method == "POST":
                yield Job(name, _bodies(route), self._body(name, route))
            if route.path == "/checkout/{intent}/confirm":
                plaintexts = st.dictionaries(st.sampled_from(CARD), JSON, max_size=4) | st.binary(max_size=60)
                yield Job(name, plaintexts, self._card(name, route))
        targets = st.tuples(st.sampled_from(["GET", "POST", "DELETE", "HEAD"]), st.binary(max_size=60))
        yield Job(ELSEWHERE, targets, self._anywhere)

    def _case(self, name: str, route: Route) -> Callable[[Any, int], None]:
        """A request that follows, or does not follow, the description."""

        def send(case: Any, pick: int) -> None:
            case.path_parameters = self._real(case.path_parameters, pick)
            case.query = self._real(case.query, pick)
            case.body = self._real(case.body, pick)
            asked = case.as_transport_kwargs()
            asked.pop("cookies", None)
            made = requests.Request(**asked).prepare()
            body = made.body.encode() if isinstance(made.body, str) else made.body or b""
            target = (made.path_url or "").encode("latin-1", "replace")
            given = {_text(one): _text(value) for one, value in made.headers.items()}
            key = given.pop("Idempotency-Key", "")
            signed = self._asker.signed(route, made.method or "", target, body, key=key)
            data = whole(made.method or "", target, given | signed, body)
            self._send(name, f"as described: {data[:200]!r}", data)

        return send

    def _real(self, given: Any, pick: int) -> Any:
        """With most ids changed to those of something; no URL leads out of here, and nobody is kept waiting."""
        ids = self._asker.furnished.ids
        if not isinstance(given, dict):
            return given
        made = dict(given)
        for name, value in given.items():
            if name in ids and pick % 4 < REAL_OF_4:
                made[name] = ids[name][pick // 4 % len(ids[name])]
            elif name == "url" and isinstance(value, str):
                made[name] = re.sub(r"//[^/?#]*", "//hooks.invalid", value)
            elif name == "wait" and isinstance(value, int):
                made[name] = min(value, 1)
        return made

    def _target(self, name: str, route: Route) -> Callable[[Any, int], None]:
        """Any text as an id, any text as a query."""

        def send(made: tuple[str, str], pick: int) -> None:
            part, query = (requests.utils.quote(one.encode("utf-8", "surrogatepass"), safe="=&%") for one in made)
            parts = dict.fromkeys(self._asker.furnished.ids, part) if pick % 4 >= REAL_OF_4 else {}
            data = self._asker.request(route, parts=parts, query=query)
            self._send(name, f"any target: {data[:200]!r}", data)

        return send

    def _body(self, name: str, route: Route) -> Callable[[Any, int], None]:
        """Any JSON with the names of the fields, or less than JSON."""

        def send(made: tuple[Any, int, bytes], pick: int) -> None:
            body, cut, noise = made
            text = json.dumps(self._real(body, pick), ensure_ascii=cut == 0).encode("utf-8", "surrogatepass")
            sent = {0: text, 1: text, 2: text[: len(text) // 2], 3: noise}[cut]
            self._send(name, f"any body: {sent!r}", self._asker.request(route, body=sent))

        return send

    def _card(self, name: str, route: Route) -> Callable[[Any, int], None]:
        """Anything sealed as a card, half of it in an honest frame's payload."""
        furnished = self._asker.furnished
        jwk, intent = furnished.card_key(), furnished.ids["open"][0]
        honest = {"v": 1, "number": LUHN_FAILS, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        bound = {"intent": intent, "origin": SHOP}

        def send(made: dict[str, Any] | bytes, pick: int) -> None:
            inside = {**honest, **bound, "iat": int(time.time()), "jti": f"any-card-{time.monotonic_ns()}"}
            plain = made if isinstance(made, bytes) else json.dumps(inside | made).encode()
            body = {"card": seal_bytes(jwk, plain)}
            data = self._asker.request(route, parts={"intent": intent}, body=body)
            self._send(name, f"any card: {plain!r}", data, refused=isinstance(made, bytes))

        return send

    def _anywhere(self, made: tuple[str, bytes], pick: int) -> None:
        method, noise = made
        target = b"/v1/" + noise.replace(b"\r", b"").replace(b"\n", b"").replace(b" ", b"")
        data = whole(method, target, self._asker.furnished.signer.headers(method, target))
        self._send(ELSEWHERE, f"any target: {method} {target!r}", data, refused=True)

    def _send(self, name: str, what: str, data: bytes, *, refused: bool = False) -> None:
        self._tally.take(name, what, partial(self._asker.wire(name).ask, data), refused=refused)


def _bodies(route: Route) -> st.SearchStrategy[tuple[Any, int, bytes]]:
    names = [field.encode_name for field in fields(route.body)] if route.body else ["id", "type", "object"]
    body = st.dictionaries(st.sampled_from([*names, "status"]), JSON, max_size=5)
    return st.tuples(body | JSON, st.integers(0, 3), st.binary(max_size=40))


def _text(value: str | bytes) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text.encode("latin-1", "replace").decode("latin-1")
