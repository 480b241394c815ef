"""Lists: `{"object": "list", "data", "has_more", "url"}`, newest first, by cursor as at Stripe."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Raw

from paydesk.errors import Refusal
from paydesk.store import Row
from paydesk.web.answers import Listed
from paydesk.web.call import Call, Response, as_json, whole_number

CURSORS = ("starting_after", "ending_before")

AnyRow = TypeVar("AnyRow", bound=Row)


async def listed(
    call: Call, account: str, kind: type[AnyRow], *, by: str, url: str, render: Callable[[AnyRow], bytes]
) -> Response:
    """A page of an account's rows, sorted by the column `by`, which rises with time."""
    parameters = call.parameters("limit", *CURSORS)
    limit = whole_number(parameters, "limit", default=10, low=1, high=100)
    cursor = [name for name in CURSORS if name in parameters]
    if len(cursor) > 1:
        raise Refusal("parameter_invalid", "Give starting_after or ending_before, not both.", param="ending_before")
    lists = await call.desk.lists.loaded()
    table = lists.table(kind)
    statement = table.select().where(table.c.account == account).limit(limit + 1)
    backwards = cursor == ["ending_before"]
    if cursor:
        from_there = await call.desk.reader.get(kind, account, parameters[cursor[0]])
        if from_there is None:
            raise Refusal("parameter_invalid", f"{cursor[0]} names no object of this list.", param=cursor[0])
        edge = getattr(from_there, by)
        statement = statement.where(table.c[by] > edge if backwards else table.c[by] < edge)
    statement = statement.order_by(table.c[by].asc() if backwards else table.c[by].desc())
    rows = await lists.rows(kind, statement)
    page = rows[:limit][::-1] if backwards else rows[:limit]
    data = [Raw(render(row)) for row in page]
    return as_json(Listed(data=data, has_more=len(rows) > limit, url=url))
