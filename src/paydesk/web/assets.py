"""What is served as it lies in `static/`: read once at start, named by its content, cached for ever.

`frame.js` is served as `/static/frame.<hash>.js`, and the imports inside a module are rewritten to such names before it
is hashed itself, so a changed part changes the address of everything that stands on it. The loader for shops is served
as `/checkout.<hash>.js`, whose integrity a shop can pin, and as `/checkout.js`, which always is the newest.
"""

import base64
import hashlib
import re
from pathlib import Path

from msgspec import Struct

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
"""What may lie in `static/`. Anything else there is a mistake that the start should show."""

LOADER = "checkout.js"

IMPORT = re.compile(r'^((?:import|export)\b[^;"]*)"\./([a-z0-9-]+\.js)"', re.MULTILINE)


class Asset(Struct, frozen=True, kw_only=True):
    """One file as it is served."""

    body: bytes
    content_type: str
    immutable: bool
    """Its address holds its hash, so that it may be kept for a year."""
    etag: str

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Shops load it from other origins, in isolated pages and with `integrity` too; hence the last two."""
        keep = "public, max-age=31536000, immutable" if self.immutable else "public, max-age=300"
        return [
            (b"content-type", self.content_type.encode()),
            (b"cache-control", keep.encode()),
            (b"etag", self.etag.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"access-control-allow-origin", b"*"),
        ]


class Assets:
    """All of `static/`, in memory. ValueError for a file of unknown type, a missing import, or imports in a circle."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._urls: dict[str, str] = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        self._assets: dict[str, Asset] = {}
        for path in sorted(folder.iterdir()):
            if path.is_file():
                self._load(path.name, ())
        loader = self._assets.get(self._urls.get(LOADER, ""))
        if loader:
            self._assets[f"/{LOADER}"] = Asset(
                body=loader.body, content_type=loader.content_type, immutable=False, etag=loader.etag
            )

    def url(self, name: str) -> str:
        """The address of `name` as it lies in the folder; holds its hash. KeyError if it is not there."""
        return self._urls[name]

    def find(self, path: str) -> Asset | None:
        """What is served at the path of a request."""
        return self._assets.get(path)

    def integrity(self, name: str) -> str:
        """For an `integrity` attribute (W3C Subresource Integrity)."""
        digest = hashlib.sha384(self._assets[self._urls[name]].body).digest()
        return "sha384-" + base64.b64encode(digest).decode()

    def modules(self, entry: str) -> tuple[str, ...]:
        """Every module that `entry` stands on, itself excluded, so that a page can have them all fetched at once."""
        found: dict[str, None] = {}
        for name in self._imports[entry]:
            found |= dict.fromkeys((name, *self.modules(name)))
        return tuple(found)

    def _load(self, name: str, importers: tuple[str, ...]) -> str:
        """Load `name` after what it imports; answers with its address."""
        if name in importers:
            raise ValueError(f"static/{name} imports itself by way of {' and '.join(importers)}.")
        if name not in self._urls:
            body = self._read(name)
            if name.endswith(".js"):
                body = self._with_hashed_imports(name, body, importers)
            self._add(name, body)
        return self._urls[name]

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        if path.suffix not in TYPES:
            raise ValueError(f"static/{name}: nothing of this type is served. Known: {', '.join(TYPES)}.")
        if not path.is_file():
            raise ValueError(f"static/{name} is imported, but not there.")
        return path.read_bytes()

    def _with_hashed_imports(self, name: str, body: bytes, importers: tuple[str, ...]) -> bytes:
        source = body.decode()
        self._imports[name] = tuple(found[1] for found in IMPORT.findall(source))

        def rewrite(found: re.Match[str]) -> str:
            return f'{found[1]}"{self._load(found[2], (*importers, name))}"'

        return IMPORT.sub(rewrite, source).encode()

    def _add(self, name: str, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()[:16]
        stem, _, suffix = name.rpartition(".")
        room = "" if name == LOADER else "/static"
        self._urls[name] = f"{room}/{stem}.{digest}.{suffix}"
        self._assets[self._urls[name]] = Asset(
            body=body, content_type=TYPES[f".{suffix}"], immutable=True, etag=f'"{digest}"'
        )
