"""`/livez`: the process answers. `/readyz`: it can take requests."""

from paydesk.errors import Refusal
from paydesk.web.answers import Health
from paydesk.web.call import Call, Response, as_json


async def live(call: Call) -> Response:
    """Whether the process answers."""
    return as_json(Health(status="ok"))


async def ready(call: Call) -> Response:
    """Whether it takes requests: the database is open and the committer at work."""
    if not call.desk.ready():
        raise Refusal("storage_unavailable", "Starting or stopping.", retry_after_seconds=1)
    return as_json(Health(status="ok"))
