"""HTTP out, over aiohttp: the only module that imports it.

What matters here is the answer to one question: can the other side have acted? Until the request is handed to a
connection it cannot (`NotSent`); from then on, without a whole answer, nobody knows (`NoAnswer`). So nothing is ever
sent twice from here: aiohttp by itself repeats a GET, PUT or DELETE once when a kept connection turns out to be dead.

The guard sits where sockets are made, on the address that is about to be connected to: after the resolver, which is
skipped for IP literals, and before the first packet. So neither a spelling nor a name that changes its mind passes it.
"""

import asyncio
import errno
import functools
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from paydesk.world import Answer, NoAnswer, NotSent, Outgoing, Reach
from paydesk.world.egress import Network, allowed, listens_on, plain

BLOCKED = "address_not_allowed"
CONNECTIONS_MAX = 512
"""To endpoints, per reach: merchants' slow endpoints never take a connection from a PSP. Whoever sends keeps below it,
since aiohttp's wait for a connection would count as one for the other side.
"""
RESOLVER_THREADS = 4
"""Per reach as well: getaddrinfo blocks its thread for as long as a name server likes."""


class HttpOut:
    """Sends requests; one per process.

    `allow` are the networks that `operator` addresses may be in besides public ones; `own` gives the addresses and
    ports that we listen on at that moment; `anywhere_max` is how many connections there may be to PSPs. Make it
    anywhere, use it on one event loop, and `close` it there.
    """

    def __init__(
        self,
        allow: Sequence[Network],
        own: Callable[[], Collection[tuple[str, int]]],
        *,
        anywhere_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._anywhere_max = anywhere_max
        self._allow = tuple(allow)
        self._own = own
        self._sessions: dict[Reach, aiohttp.ClientSession] = {}
        self._resolvers: list[Names] = []
        self._closed = False

    async def send(self, request: Outgoing) -> Answer | NotSent | NoAnswer:
        """Send `request` at most once and read its answer. Never raises for what the network does."""
        url = readable_url(request.url)
        if url is None:
            return NotSent("url_invalid")
        if self._closed:
            return NotSent("closed")
        passage = Passage()
        try:
            async with asyncio.timeout(request.total_timeout_seconds):
                return await self._exchange(request, url, passage)
        except (aiohttp.ClientError, OSError, ValueError) as why:  # TimeoutError is an OSError.
            reason = reason_for(why, url)
        return NoAnswer(reason) if passage.begun else NotSent(reason)

    async def close(self) -> None:
        """Close every connection; what still runs ends as if the other side had closed it."""
        self._closed = True
        for session in self._sessions.values():
            await session.close()
        for resolver in self._resolvers:
            resolver.shut()

    async def _exchange(self, request: Outgoing, url: URL, passage: "Passage") -> Answer:
        async with self._session(request.reach).request(
            request.method,
            url,
            headers=[(name, value) for name, value in request.headers if name.lower() != "accept-encoding"],
            data=request.body or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=request.connect_timeout_seconds),
            middlewares=(passage,),
        ) as response:
            body, truncated = await read_at_most(response, request.answer_bytes_max)
            headers = {name.lower(): text(value) for name, value in response.headers.items()}
            return Answer(status=response.status, headers=headers, body=body, truncated=truncated)

    def _session(self, reach: Reach) -> aiohttp.ClientSession:
        if reach not in self._sessions:
            self._sessions[reach] = self._new_session(reach)
        return self._sessions[reach]

    def _new_session(self, reach: Reach) -> aiohttp.ClientSession:
        resolver = Names()
        self._resolvers.append(resolver)
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            limit=self._anywhere_max if reach == "anywhere" else CONNECTIONS_MAX,
            socket_factory=functools.partial(self._socket, reach),
        )
        return aiohttp.ClientSession(
            connector=connector,
            request_class=Tracked,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A compressed answer would be counted before and read after it is blown up: ask for none, unpack none.
            headers={"Accept-Encoding": "identity", "User-Agent": "Paydesk"},
            skip_auto_headers=("Content-Type",),
            auto_decompress=False,
            trust_env=False,
        )

    def _socket(self, reach: Reach, where: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for that address, or none at all."""
        family, kind, protocol, _, (address, port, *_) = where
        own = () if reach == "anywhere" else self._own()
        if not allowed(str(address), int(port), reach, self._allow, own) or listens_there(str(address), int(port), own):
            raise PermissionError(errno.EACCES, BLOCKED)
        return socket.socket(family, kind, protocol)


class Passage:
    """One request's way out, as an aiohttp middleware: what was begun once is not begun again."""

    __slots__ = ("_request",)

    def __init__(self) -> None:
        self._request: Tracked | None = None

    @property
    def begun(self) -> bool:
        """Whether a byte may have been written."""
        return self._request is not None and self._request.begun

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self.begun:
            raise aiohttp.ClientError("the connection was lost, and nothing is sent twice")
        assert isinstance(request, Tracked)
        self._request = request
        while True:
            try:
                return await handler(request)
            except Stale:  # Its connection is closed by now; another one, or a new one, is next.
                continue


class Stale(aiohttp.ClientError):
    """A kept connection on which the other side spoke unasked."""


class Tracked(aiohttp.ClientRequest):
    """A request that knows whether it was handed to a connection."""

    begun = False

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        # Load balancers send a 408 before they close an idle connection; aiohttp would take it for our answer.
        if conn.protocol is None or conn.protocol.should_close:
            raise Stale
        self.begun = True
        return await super().send(conn)


class Names(AbstractResolver):
    """getaddrinfo in threads of its own: aiohttp's would share the loop's few with everything else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        ask = functools.partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except UnicodeError as why:  # A label that is too long or empty is one to Python.
            raise socket.gaierror(socket.EAI_NONAME, "not a name") from why
        return [
            ResolveResult(
                hostname=host, host=str(where[0]), port=port, family=family, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for family, _, protocol, _, where in found
        ]

    async def close(self) -> None:
        """aiohttp closes a resolver that it made itself; ours is shut by `HttpOut.close`."""

    def shut(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def readable_url(url: str) -> URL | None:
    """`url` exactly as it stands, or None where it is none; nothing is re-encoded."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parsed = URL(url, encoded=True)
        return parsed if parsed.scheme in ("http", "https") and parsed.host else None
    except ValueError:
        return None


async def read_at_most(response: aiohttp.ClientResponse, bytes_max: int) -> tuple[bytes, bool]:
    """The body, and whether there was more. A response that is left unfinished closes its connection."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > bytes_max:
            return bytes(body[:bytes_max]), True
    return bytes(body), False


def listens_there(address: str, port: int, own: Collection[tuple[str, int]]) -> bool:
    """Whether `address` is one of this machine's while we listen on that port on every address."""
    if not any(own_port == port and listens_on(own_address).is_unspecified for own_address, own_port in own):
        return False
    there = plain(address)
    with socket.socket(socket.AF_INET6 if there.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(there), 0))
        except OSError:  # Only an address of this machine can be bound to.
            return False
    return True


def reason_for(why: Exception, url: URL) -> str:
    """A word for logs and merchants. It never names an address: an internal one may be what a name resolved to."""
    if BLOCKED in str(getattr(why, "os_error", why)) or (
        isinstance(why, aiohttp.InvalidURL) and str(url.host).replace(".", "").isdigit()
    ):
        return BLOCKED  # aiohttp refuses 2130706433 or 0177.0.0.1 as a host before it asks for a socket.
    for kinds, reason in REASONS:
        if isinstance(why, kinds):
            return reason
    return "failed"


REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "dns_failed"),
    ((aiohttp.ClientConnectorCertificateError, ssl.CertificateError), "tls_certificate_invalid"),
    ((aiohttp.ClientSSLError, ssl.SSLError), "tls_failed"),
    (aiohttp.ClientConnectorError, "connect_failed"),
    (aiohttp.ServerDisconnectedError, "closed_without_answer"),
    (aiohttp.ClientPayloadError, "answer_incomplete"),
    (aiohttp.ClientResponseError, "answer_unreadable"),
    (aiohttp.InvalidURL, "url_invalid"),
    (OSError, "connection_lost"),
    (ValueError, "request_invalid"),
)
"""The first that fits."""


def text(value: str) -> str:
    """A header's value that can be stored: aiohttp keeps bytes outside UTF-8 as lone surrogates."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
