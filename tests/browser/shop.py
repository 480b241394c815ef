"""A shop's pages: they mount the form and write down every message that comes from anywhere."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

# Stands before the loader, so that no message is missed: neither what comes to the window, nor what comes over ports.
RECORDER = """
  window.heard = [];
  window.told = [];
  window.channels = 0;
  const note = (where) => (event) => window.heard.push({ where, origin: event.origin, data: event.data });
  window.addEventListener("message", note("window"));
  const RealChannel = window.MessageChannel;
  window.MessageChannel = class extends RealChannel {
    constructor() { super(); window.channels += 1; this.port1.addEventListener("message", note("port")); }
  };
"""

MOUNT = """
  const options = JSON.parse(document.getElementById("options").textContent);
  const tell = (name) => (facts) => window.told.push({ name, ...facts });
  window.form = Paydesk.mount("#pay", {
    ...options, onResult: tell("result"), onChange: tell("change"), onFocus: tell("focus"), onFatal: tell("fatal"),
  });
"""

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Lamp &amp; Shade</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<body style="margin: 0; background: #fff"><script type="application/json" id="options">{options}</script>
<script>{recorder}</script><div id="pay"></div>
<script src="{paydesk}/checkout.js"{extra}></script><script>{script}</script></body></html>"""

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


def page(paydesk: str, options: str, *, script: str = MOUNT, extra: str = "") -> str:
    return PAGE.format(paydesk=paydesk, options=options, script=script, recorder=RECORDER, extra=extra)


class Shop:
    """Serves what a test puts under a path; anything else is a quiet page, such as one to come back to."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.get)])

    async def get(self, request: Request) -> HTMLResponse:
        headers = ISOLATED if request.url.path == "/isolated" else {}
        return HTMLResponse(self.pages.get(request.url.path, "<!doctype html><title>Shop</title>"), headers=headers)
