"""`/v1/balance` and `/v1/ledger/…`: what an account has, and every posting that made it so."""

from collections import defaultdict
from collections.abc import Sequence

from paydesk.errors import Refusal
from paydesk.ledger import Balance, LedgerTransaction, Posting, balance, shapes
from paydesk.web.answers import Listed
from paydesk.web.call import Call, Response, as_json
from paydesk.web.found import found, intent_found
from paydesk.web.lists import page_of
from paydesk.web.signed import caller


async def read_balance(call: Call) -> Response:
    """What the account has, per currency."""
    who = await caller(call)
    call.parameters()
    return as_json(await balance.read(call.desk.reader, who.account, livemode=who.livemode))


async def transactions(call: Call) -> Response:
    """Moves of money, newest first, each with its entries."""
    who = await caller(call)
    parameters = call.parameters("limit", "starting_after", "ending_before", "payment_intent")
    intent = parameters.get("payment_intent")
    if intent is not None:
        await intent_found(call, who.account, intent, param="payment_intent")

    async def by_id(name: str) -> LedgerTransaction | None:
        lists = await call.desk.lists.loaded()
        column = lists.table(LedgerTransaction).c
        named = lists.table(LedgerTransaction).select().where(column.account == who.account, column.id == name)
        return next(iter(await lists.rows(LedgerTransaction, named)), None)

    where = {} if intent is None else {"subject": intent}
    page = await page_of(call, parameters, who.account, LedgerTransaction, by="id", where=where, find=by_id)
    lines = await _lines(call, who.account, [row.id for row in page.rows])
    data = [shapes.transaction(row, lines[row.id], livemode=who.livemode) for row in page.rows]
    return as_json(Listed(data=data, has_more=page.has_more, url="/v1/ledger/transactions"))


async def accounts(call: Call) -> Response:
    """The account's ledger accounts with their balances, by name."""
    who = await caller(call)
    parameters = call.parameters("limit", "starting_after", "ending_before")
    page = await page_of(call, parameters, who.account, Balance, by="ledger_account", rising=True)
    data = [shapes.ledger_account(row) for row in page.rows]
    return as_json(Listed(data=data, has_more=page.has_more, url="/v1/ledger/accounts"))


async def entries(call: Call) -> Response:
    """The change log of one ledger account, newest first: each entry with the balance after it."""
    who = await caller(call)
    parameters = call.parameters("limit", "starting_after", "ending_before", "ledger_account")
    name = parameters.get("ledger_account")
    if name is None:
        raise Refusal("parameter_missing", "`ledger_account` is missing.", param="ledger_account")
    await found(call, who.account, Balance, name, what="ledger account", param="ledger_account")

    async def by_id(named: str) -> Posting | None:
        transaction, _, line = named.rpartition(".")
        return await call.desk.reader.get(Posting, who.account, transaction, line)

    page = await page_of(
        call, parameters, who.account, Posting, by="sequence", where={"ledger_account": name}, find=by_id
    )
    data = [shapes.entry(row) for row in page.rows]
    return as_json(Listed(data=data, has_more=page.has_more, url="/v1/ledger/entries"))


async def _lines(call: Call, account: str, transactions: Sequence[str]) -> dict[str, list[Posting]]:
    """The postings of these transactions, in their order."""
    lists = await call.desk.lists.loaded()
    column = lists.table(Posting).c
    statement = lists.table(Posting).select().where(column.account == account, column.transaction_id.in_(transactions))
    lines: defaultdict[str, list[Posting]] = defaultdict(list)
    for posting in await lists.rows(Posting, statement.order_by(column.transaction_id, column.line)):
        lines[posting.transaction_id].append(posting)
    return lines
