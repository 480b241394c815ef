"""Lists: `{"object": "list", "data", "has_more", "url"}`, newest first, by cursor as at Stripe."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from msgspec import Raw, Struct

from paydesk.errors import Refusal
from paydesk.store import Row
from paydesk.web.answers import Listed
from paydesk.web.call import Call, Response, as_json, whole_number
from paydesk.web.found import intent_found

CURSORS = ("starting_after", "ending_before")

AnyRow = TypeVar("AnyRow", bound=Row)


class Page(Struct, Generic[AnyRow], frozen=True):
    """Some rows of a list, and whether there are more in the direction that was asked for."""

    rows: list[AnyRow]
    has_more: bool


async def listed(
    call: Call, account: str, kind: type[AnyRow], *, by: str, url: str, render: Callable[[AnyRow], bytes]
) -> Response:
    """A page of an account's rows, sorted by the column `by`, which rises with time."""
    page = await page_of(call, call.parameters("limit", *CURSORS), account, kind, by=by)
    data = [Raw(render(row)) for row in page.rows]
    return as_json(Listed(data=data, has_more=page.has_more, url=url))


async def listed_of_intent(
    call: Call,
    parameters: dict[str, str],
    account: str,
    kind: type[AnyRow],
    *,
    url: str,
    render: Callable[[AnyRow], bytes],
) -> Response:
    """A page of an account's rows, newest first; with `payment_intent`, of those that name it as their `intent`."""
    intent = parameters.get("payment_intent")
    if intent is not None:
        await intent_found(call, account, intent, param="payment_intent")
    where = {} if intent is None else {"intent": intent}
    page = await page_of(call, parameters, account, kind, by="id", where=where)
    return as_json(Listed(data=[Raw(render(row)) for row in page.rows], has_more=page.has_more, url=url))


async def page_of(
    call: Call,
    parameters: dict[str, str],
    account: str,
    kind: type[AnyRow],
    *,
    by: str,
    rising: bool = False,
    where: Mapping[str, str] | None = None,
    find: Callable[[str], Awaitable[AnyRow | None]] | None = None,
) -> Page[AnyRow]:
    """The page that the parameters ask for, of an account's rows whose columns equal `where`; sorted by `by`, falling
    unless `rising`. `find` gives the row that a cursor names; by default a cursor is its key.
    """
    limit = whole_number(parameters, "limit", default=10, low=1, high=100)
    cursor = [name for name in CURSORS if name in parameters]
    if len(cursor) > 1:
        raise Refusal("parameter_invalid", "Give starting_after or ending_before, not both.", param="ending_before")
    lists = await call.desk.lists.loaded()
    column = lists.table(kind).c
    equal = {"account": account, **(where or {})}
    statement = lists.table(kind).select().where(*(column[name] == value for name, value in equal.items()))
    backwards = cursor == ["ending_before"]
    upwards = backwards != rising
    if cursor:
        named = parameters[cursor[0]]
        row = await (find(named) if find else call.desk.reader.get(kind, account, named))
        if row is None or any(getattr(row, name) != value for name, value in equal.items()):
            raise Refusal("parameter_invalid", f"{cursor[0]} names no object of this list.", param=cursor[0])
        edge = getattr(row, by)
        statement = statement.where(column[by] > edge if upwards else column[by] < edge)
    statement = statement.order_by(column[by].asc() if upwards else column[by].desc()).limit(limit + 1)
    rows = await lists.rows(kind, statement)
    return Page(rows[:limit][::-1] if backwards else rows[:limit], len(rows) > limit)
