"""The loader and the frame's scripts and styles, as `static/` has them."""

from paydesk.errors import Refusal
from paydesk.web.call import Call, Response


async def asset(call: Call) -> Response:
    """A file by its plain or its hashed, immutable address."""
    found = call.desk.assets.find(call.raw_path.decode("ascii"))
    if found is None:
        raise Refusal("route_missing")
    if call.header(b"if-none-match") == found.etag:
        return Response(status=304, headers=found.headers())
    return Response(body=found.body, headers=found.headers())
