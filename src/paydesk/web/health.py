"""`/livez`: the process answers. `/readyz`: it can take requests."""

from paydesk.errors import Refusal
from paydesk.web.call import Call, Response, as_json


async def live(call: Call) -> Response:
    """The loop turns."""
    return as_json({"status": "ok"})


async def ready(call: Call) -> Response:
    """The database is open and the committer takes commands."""
    if not call.desk.ready():
        raise Refusal("storage_unavailable", "Starting or stopping.", retry_after_seconds=1)
    return as_json({"status": "ok"})
