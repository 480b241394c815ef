"""What people and tests see and do, without a key: the page, the books, faults, and the banks' side of a charge."""

from urllib.parse import parse_qs

from paydesk_sandbox.bodies import read
from paydesk_sandbox.door import Door
from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder
from paydesk_sandbox.psp.exchange import Exchange
from paydesk_sandbox.psp.faults import Fault, Plan
from paydesk_sandbox.psp.page import Page
from paydesk_sandbox.psp.routes import Routes, now_ms
from paydesk_sandbox.psp.rules import Psp
from paydesk_sandbox.psp.showing import books_shown, faults_shown


class People:
    """The routes."""

    def __init__(self, door: Door, psp: Psp) -> None:
        self._door = door
        self._psp = psp
        self._page = Page()
        self.routes: Routes = {
            ("",): {"GET": self._show_page},
            ("books",): {"GET": self._show_books},
            ("faults",): {"GET": self._show_faults, "POST": self._order_fault, "DELETE": self._clear_faults},
            ("faults", "plan"): {"POST": self._follow_plan},
            ("charges", "*", "dispute"): {"POST": self._dispute},
            ("charges", "*", "expire"): {"POST": self._expire},
            ("disputes", "*", "close"): {"POST": self._close_dispute},
            ("refunds", "*", "fail"): {"POST": self._fail_refund},
            ("livez",): {"GET": self._live},
        }

    async def _show_page(self, exchange: Exchange) -> None:
        html, policy = self._page.render(self._psp)
        extra = [(b"content-security-policy", policy), (b"cache-control", b"no-store")]
        await exchange.answer(200, html, content_type=b"text/html; charset=utf-8", extra=extra)

    async def _show_books(self, exchange: Exchange) -> None:
        reference = parse_qs(exchange.query).get("reference", [None])[-1]
        self._psp.due(now_ms())
        await exchange.give_json(books_shown(self._psp, reference))

    async def _show_faults(self, exchange: Exchange) -> None:
        await exchange.give_json(faults_shown(self._psp))

    async def _order_fault(self, exchange: Exchange) -> None:
        fault = read(await exchange.body(), Fault)
        self._psp.order(fault)
        if fault.fault == "refuse":  # before the answer, so that whoever reads it meets a closed door
            self._door.refuse(fault.for_ms)
        await exchange.give_json(faults_shown(self._psp))

    async def _follow_plan(self, exchange: Exchange) -> None:
        self._psp.faults.follow(read(await exchange.body(), Plan))
        await exchange.give_json(faults_shown(self._psp))

    async def _clear_faults(self, exchange: Exchange) -> None:
        self._psp.faults.clear()
        await exchange.give_json(faults_shown(self._psp))

    async def _dispute(self, exchange: Exchange) -> None:
        order = read(await exchange.body() or b"{}", DisputeOrder)
        await exchange.give(self._psp.dispute(exchange.subject, order, now_ms()))

    async def _close_dispute(self, exchange: Exchange) -> None:
        order = read(await exchange.body(), CloseOrder)
        await exchange.give(self._psp.close_dispute(exchange.subject, order, now_ms()))

    async def _fail_refund(self, exchange: Exchange) -> None:
        await exchange.give(self._psp.fail_refund(exchange.subject, now_ms()))

    async def _expire(self, exchange: Exchange) -> None:
        await exchange.give(self._psp.expire(exchange.subject, now_ms()))

    async def _live(self, exchange: Exchange) -> None:
        await exchange.answer(200, b"ok\n", content_type=b"text/plain; charset=utf-8")
