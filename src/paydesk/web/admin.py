"""The admin listener's routes, for whoever watches over Paydesk: figures and health. Loopback by default, unsigned."""

from paydesk.web import answers, health
from paydesk.web.call import Call, Response
from paydesk.web.routes import Route

TEXT = ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), (b"cache-control", b"no-store"))


async def metrics(call: Call) -> Response:
    """What this process counted, in Prometheus' text format."""
    call.parameters()
    return Response(body=await call.desk.figures(), headers=TEXT)


ROUTES = (
    Route("GET", "/metrics", metrics, media="text/plain"),
    Route("GET", "/livez", health.live, "none", None, answers.Health),
    Route("GET", "/readyz", health.ready, "none", None, answers.Health, refusals=("storage_unavailable",)),
)
