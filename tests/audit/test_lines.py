"""Which actions leave a line: those of keys and of the operator that changed something, in the commit of the change."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from paydesk.assembly import operator
from paydesk.assembly.operator import Request, act
from paydesk.audit.reading import newest
from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.merchants import Account
from paydesk.requests.rows import Nonce
from paydesk.store import Command, StorageFault, Work
from paydesk.web.desk import DoorDesk
from tests.audit.test_verify import verified
from tests.journeys.test_delivery_schedule import play
from tests.journeys.turned import Turned
from tests.stage.stage import SHOP

HOOK = {"url": "https://tea.example/hooks"}
CREATE = "POST /v1/payment_intents"


async def lines(house: Turned, account: str | None = None) -> list[AuditEntry]:
    """The account's lines, after a look whether its chain holds."""
    account = account or house.facts["account_id"]
    assert not [chain for chain in verified(house.house.config.database) if chain.off is not None]
    return await newest(house.house.reader, account, 100)


def test_a_change_by_a_key_leaves_one_line_and_says_what_it_did(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        intent = await house.open()
        made = (await house.send("POST", "/v1/webhook_endpoints", json=HOOK)).json()
        gone = await house.send("DELETE", f"/v1/webhook_endpoints/{made['id']}")
        found = await lines(house)
        actor = f"key:{house.facts['key_id']}"
        assert [(line.number, line.actor, line.action, line.object_id) for line in found] == [
            (1, actor, CREATE, intent["id"]),
            (2, actor, "POST /v1/webhook_endpoints", made["id"]),
            (3, actor, "DELETE /v1/webhook_endpoints/{endpoint}", made["id"]),
        ]
        assert found[-1].request_id == gone.headers["request-id"]
        assert len({line.fingerprint for line in found}) == 3
        assert all(len(line.fingerprint) == 64 for line in found)

    play(tmp_path, story)


def test_what_changed_nothing_leaves_none(tmp_path: Path) -> None:
    """A repeat, what is refused, and what only reads: the nonce is burnt all the same."""

    async def story(house: Turned) -> None:
        intent = await house.open("order-1")
        assert (await house.open("order-1"))["id"] == intent["id"]
        again = await house.send(
            "POST", "/v1/payment_intents", json={"amount": 1, "currency": "usd"}, headers={"Idempotency-Key": "order-1"}
        )
        assert again.status_code == 422
        assert (await house.send("DELETE", "/v1/webhook_endpoints/we_none")).status_code == 404
        assert (await house.send("POST", "/v1/webhook_endpoints", json={"url": "nowhere"})).status_code == 400
        await house.read(intent)
        assert [line.action for line in await lines(house)] == [CREATE]

    play(tmp_path, story)


def test_lines_of_one_batch_follow_one_another(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        async with asyncio.TaskGroup() as group:
            opening = [group.create_task(house.open(f"order-{number}")) for number in range(40)]
        found = await lines(house)
        assert [line.number for line in found] == list(range(1, 41))
        assert {line.object_id for line in found} == {one.result()["id"] for one in opening}

    play(tmp_path, story)


def test_a_line_is_there_with_its_change_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(house: Turned) -> None:
        session = house.house.committer._session

        async def full() -> None:
            await session.rollback()
            raise StorageFault("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(session, "commit", full)
            refused = await house.send(
                "POST", "/v1/payment_intents", json={"amount": 1, "currency": "usd"}, headers={"Idempotency-Key": "one"}
            )
        assert refused.status_code == 503
        assert await lines(house) == []
        await house.open("one")
        assert len(await lines(house)) == 1

    play(tmp_path, story)


def test_the_operators_actions_leave_a_line_in_the_account_they_change(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        secret = "psp-secret-that-is-nowhere"
        wanted = {"name": "Cake", "origins": [SHOP], "psp_url": "http://psp.example", "psp_key": secret, "fee": "0"}
        made = (await act(house.house, Request("merchants create", wanted)))["done"]
        hook = {"merchant": made["merchant_id"], "url": HOOK["url"], "events": ["*"]}
        added = (await act(house.house, Request("webhooks add", hook)))["done"]
        assert "error" in await act(house.house, Request("webhooks add", hook | {"events": ["none"]}))
        found = await lines(house, made["account_id"])
        assert [(line.actor, line.action, line.object_id) for line in found] == [
            ("operator", "merchants create", made["account_id"]),
            ("operator", "webhooks add", added["id"]),
        ]
        assert await lines(house) == []
        other = (await act(house.house, Request("merchants create", wanted | {"psp_key": "another"})))["done"]
        assert (await lines(house, other["account_id"]))[0].fingerprint == found[0].fingerprint  # Nothing of a secret.

    play(tmp_path, story)


class Touch(Command[None], frozen=True):
    """Change some accounts, or burn a nonce that is nobody's."""

    accounts: tuple[str, ...]

    def decide(self, work: Work) -> None:
        if not self.accounts:
            work.add(Nonce(account="none", key_id="none", nonce=str(work.now_ms), signed_ms=work.now_ms))
        for account in self.accounts:
            work.change(work.get(Account, account), fee="1")


def test_no_action_can_forget_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an action submits; one line per account, and the house's where it is no account's."""

    async def touch(desk: DoorDesk, *, accounts: list[str]) -> dict[str, Any]:
        await desk.submit(Touch(accounts=tuple(accounts)))
        return {}

    async def story(house: Turned) -> None:
        monkeypatch.setitem(operator.ACTIONS, "touch", touch)
        wanted = {"name": "Cake", "origins": [SHOP], "psp_url": "http://psp.example", "psp_key": None, "fee": "0"}
        made = await operator.perform(house.house, Request("merchants create", wanted))
        both = [house.facts["account_id"], made["account_id"]]
        await operator.perform(house.house, Request("touch", {"accounts": both}))
        await operator.perform(house.house, Request("touch", {"accounts": []}))
        assert [line.action for line in await lines(house)] == ["touch"]
        assert [line.action for line in await lines(house, both[1])] == ["merchants create", "touch"]
        assert [line.action for line in await lines(house, "house")] == ["touch"]

    play(tmp_path, story)


def test_the_newest_lines_of_all_accounts(tmp_path: Path) -> None:
    """Looked for in the accounts that did something last; the oldest is shown first."""

    async def story(house: Turned) -> None:
        wanted = {"name": "Cake", "origins": [SHOP], "psp_url": "http://psp.example", "psp_key": None, "fee": "0"}
        for number in range(5):
            await operator.perform(house.house, Request("merchants create", wanted))
            await asyncio.sleep(1)
            await house.open(f"order-{number}")
            await asyncio.sleep(1)
        every = await newest(house.house.reader, None, 100)
        assert [entry.action for entry in every] == ["merchants create", CREATE] * 5
        for limit in (1, 2, 3, 7, 10):
            assert await newest(house.house.reader, None, limit) == every[-limit:]
        head = await house.house.reader.get(AuditHead, house.facts["account_id"])
        assert head
        assert (head.number, head.hash, head.at_ms) == (5, every[-1].hash, every[-1].at_ms)

    play(tmp_path, story)


def test_a_list_goes_on_behind_a_number(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        for number in range(5):
            await house.open(f"order-{number}")

        async def listed(**arguments: Any) -> Any:
            wanted = {"account": None, "after": None, "limit": 100} | arguments
            return await act(house.house, Request("audit list", wanted))

        account = house.facts["account_id"]
        pages = [(await listed(account=account, after=after, limit=2))["done"]["entries"] for after in (0, 2, 4)]
        assert [[entry["number"] for entry in page] for page in pages] == [[1, 2], [3, 4], [5]]
        of_merchant = (await listed(account=house.facts["merchant_id"]))["done"]["entries"]
        assert of_merchant == [entry for page in pages for entry in page]
        assert json.loads(json.dumps(of_merchant[0]))["hash"] == of_merchant[0]["hash"]
        for wrong in ({"limit": 0}, {"limit": 10_001}, {"after": 3}):
            assert (await listed(**wrong))["error"]["code"] == "parameter_invalid"

    play(tmp_path, story)
