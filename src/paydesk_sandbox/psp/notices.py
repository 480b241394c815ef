"""Notices: the PSP tells a merchant's endpoint of every change, again and again until it is heard.

Nothing is sent here. `tell` makes them, faults included; whoever has a clock and a network takes them as plain data,
sends each at its time, and says what became of it:

    for notice in psp.notices.take(now_ms):
        … wait until notice.not_before_ms, POST notice.body with notice.headers to notice.url …
        psp.notices.heard(notice, ok, now_ms)     # ok: a 2xx; else its next try waits to be taken

`psp.next_ms` says when `take` is worth asking again.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from paydesk_sandbox.psp.charges import origin_of
from paydesk_sandbox.psp.faults import HELD_MS, About, Fault, Faults
from paydesk_sandbox.psp.notice_texts import FORGERS_SECRET, body_of, invented, other, signature
from paydesk_sandbox.psp.objects import Told

RETRY_AFTER_MS = (1_000, 5_000, 30_000, 300_000)
"""Between the first try and the second, and so on; after the fifth nobody tries again."""
LATE_MS = 30_000
BEHIND_MS = 1_000
"""How far a reordered notice comes after the next one."""
RECORDS_MAX = 2_000

ABOUT: dict[str, About] = {"charge": "charges", "refund": "refunds", "dispute": "disputes"}


class NoticeEndpoint(Struct, frozen=True, kw_only=True):
    """The body of POST /v1/notice_endpoint: where a merchant's notices go, and what signs them."""

    url: Annotated[str, Meta(max_length=2048)]
    secret: Annotated[str, Meta(min_length=1, max_length=255)]

    def __post_init__(self) -> None:
        if origin_of(self.url) is None:
            raise ValueError("url must be an absolute http or https address")


class Notice(Struct, frozen=True, kw_only=True):
    """One request to be sent."""

    number: int
    """Tells it from all others; a retry keeps it."""
    merchant: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    not_before_ms: int
    tries: int = 1
    """Which try this is."""
    forged: bool = False
    """Signed by somebody else, and therefore sent once."""


class Record(Struct, kw_only=True):
    """What became of a notice, for people and tests."""

    id: str
    type: str
    about: str
    """The object's id."""
    merchant: str
    created_ms: int
    fault: str | None
    """What was made to go wrong with it; `forged` and `unknown` are the false ones beside a true one."""
    state: Literal["waiting", "held", "taken", "given_up", "lost"] = "waiting"
    tries: int = 0


class Notices:
    """What is to be sent. `default` is where merchants without an endpoint of their own are told. With `again_ms`
    nothing is given up, and each try follows so long after the one before.
    """

    def __init__(
        self,
        new_id: Callable[[str], str],
        faults: Faults,
        default: NoticeEndpoint | None,
        *,
        again_ms: int | None = None,
    ) -> None:
        self.records: OrderedDict[int, Record] = OrderedDict()
        """The latest, by their numbers."""
        self._new_id = new_id
        self._faults = faults
        self._default = default
        self._again_ms = again_ms
        self._endpoints: dict[str, NoticeEndpoint] = {}
        self._waiting: list[Notice] = []
        self._held: list[tuple[int, Notice]] = []
        """Reordered ones, each with the time until which it waits for a next one."""
        self._made = 0

    def send_to(self, merchant: str, endpoint: NoticeEndpoint) -> None:
        """From now on this merchant is told there."""
        self._endpoints[merchant] = endpoint

    def tell(self, merchant: str, thing: Told, now_ms: int, not_before_ms: int) -> None:
        """An object was made or changed. A merchant who named no address is not told."""
        endpoint = self._endpoints.get(merchant, self._default)
        if endpoint is None:
            return
        fault = self._faults.next_notice(ABOUT[thing.object])
        if fault:
            self._faults.count(fault)
        notice_id = self._new_id("ntc_")
        record = Record(
            id=notice_id,
            type=f"{thing.object}.updated",
            about=thing.id,
            merchant=merchant,
            created_ms=now_ms,
            fault=fault.fault.removeprefix("notice_") if fault else None,
        )
        notice = self._notice(endpoint, record, body_of(notice_id, thing, now_ms), not_before_ms)
        if fault is None:
            self._send(notice)
        elif fault.fault == "notice_forged":
            self._forge(endpoint, record, thing, notice)
        elif fault.fault == "notice_unknown":
            self._invent(endpoint, record, thing, notice)
        else:
            self._go_wrong(fault, record, notice, now_ms)

    def take(self, now_ms: int) -> list[Notice]:
        """What is to be sent, each at its own time, which may be later; each is given out once."""
        over = [notice for until_ms, notice in self._held if until_ms <= now_ms]
        self._held = [(until_ms, notice) for until_ms, notice in self._held if until_ms > now_ms]
        for notice in over:
            self._put_back(notice, now_ms)
        taken, self._waiting = self._waiting, []
        return taken

    def heard(self, notice: Notice, ok: bool, now_ms: int) -> None:
        """Whether it was taken. If not, its next try waits to be taken out, unless it was the last."""
        record = self.records.get(notice.number)
        wait_ms = None if notice.forged else self._wait_ms(notice.tries)
        if record:
            record.tries = notice.tries
            record.state = "taken" if ok else ("given_up" if wait_ms is None else "waiting")
        if ok or wait_ms is None:
            return
        endpoint = self._endpoints.get(notice.merchant, self._default)
        assert endpoint is not None
        again = self._signed(endpoint, notice, now_ms + wait_ms)
        self._waiting.append(msgspec.structs.replace(again, tries=notice.tries + 1))

    @property
    def next_ms(self) -> int | None:
        """When `take` is worth asking next."""
        times = [notice.not_before_ms for notice in self._waiting] + [until_ms for until_ms, _ in self._held]
        return min(times, default=None)

    def _wait_ms(self, tries: int) -> int | None:
        """How long after so many tries the next one follows; None where it was the last."""
        if self._again_ms is not None or tries > len(RETRY_AFTER_MS):
            return self._again_ms
        return RETRY_AFTER_MS[tries - 1]

    def _go_wrong(self, fault: Fault, record: Record, notice: Notice, now_ms: int) -> None:
        if fault.fault == "notice_lost":
            record.state = "lost"
        elif fault.fault == "notice_reordered":
            record.state = "held"
            self._held.append((now_ms + _delay(fault, HELD_MS), notice))
        elif fault.fault == "notice_late":
            self._send(self._later(notice, notice.not_before_ms + _delay(fault, LATE_MS)))
        else:
            self._send(notice)
            self._waiting.append(self._copy(record, notice))

    def _forge(self, endpoint: NoticeEndpoint, record: Record, thing: Told, notice: Notice) -> None:
        """Under the same id, and before the true one: nobody may remember an id that was not verified."""
        forger = msgspec.structs.replace(endpoint, secret=FORGERS_SECRET)
        body = body_of(record.id, other(thing), record.created_ms)
        forged = self._notice(forger, msgspec.structs.replace(record), body, notice.not_before_ms)
        self._waiting.append(msgspec.structs.replace(forged, forged=True))
        record.fault = None
        self._send(notice)

    def _invent(self, endpoint: NoticeEndpoint, record: Record, thing: Told, notice: Notice) -> None:
        """A true signature under something that never was."""
        nowhere = invented(thing, self._new_id(thing.id.partition("_")[0] + "_"))
        of = msgspec.structs.replace(record, id=self._new_id("ntc_"), about=nowhere.id)
        record.fault = None
        body = body_of(of.id, nowhere, record.created_ms)
        self._waiting.append(self._notice(endpoint, of, body, notice.not_before_ms))
        self._send(notice)

    def _copy(self, record: Record, notice: Notice) -> Notice:
        return msgspec.structs.replace(notice, number=self._keep(msgspec.structs.replace(record)))

    def _send(self, notice: Notice) -> None:
        """It waits to be taken, and what was held back for this merchant comes behind it."""
        self._waiting.append(notice)
        behind = [held for _, held in self._held if held.merchant == notice.merchant]
        self._held = [held for held in self._held if held[1].merchant != notice.merchant]
        for held in behind:
            self._put_back(held, notice.not_before_ms + BEHIND_MS)

    def _put_back(self, held: Notice, not_before_ms: int) -> None:
        if record := self.records.get(held.number):
            record.state = "waiting"
        self._waiting.append(self._later(held, not_before_ms))

    def _later(self, notice: Notice, not_before_ms: int) -> Notice:
        endpoint = self._endpoints.get(notice.merchant, self._default)
        assert endpoint is not None
        return self._signed(endpoint, notice, not_before_ms)

    def _notice(self, endpoint: NoticeEndpoint, record: Record, body: bytes, not_before_ms: int) -> Notice:
        notice = Notice(
            number=self._keep(record),
            merchant=record.merchant,
            url=endpoint.url,
            headers=(),
            body=body,
            not_before_ms=not_before_ms,
        )
        return self._signed(endpoint, notice, not_before_ms)

    def _signed(self, endpoint: NoticeEndpoint, notice: Notice, not_before_ms: int) -> Notice:
        signed = signature(endpoint.secret, not_before_ms // 1000, notice.body)
        headers = (("content-type", "application/json"), ("psp-signature", signed))
        return msgspec.structs.replace(notice, url=endpoint.url, headers=headers, not_before_ms=not_before_ms)

    def _keep(self, record: Record) -> int:
        self._made += 1
        self.records[self._made] = record
        if len(self.records) > RECORDS_MAX:
            self.records.popitem(last=False)
        return self._made


def _delay(fault: Fault, usual_ms: int) -> int:
    return usual_ms if fault.delay_ms is None else fault.delay_ms
