"""The ring of card keys: P-256, in memory only, a new one every day, an old one gone a day after it was replaced.

A recorded payload holds a number and a CVC, so the private keys must not outlive their use (protocol.md, section 4). A
restart forgets them all; the frame then gets `card_key_expired` and encrypts again.
"""

import base64
from collections.abc import Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from joserfc.jwk import ECKey

DAY_MS = 86_400_000
ROTATE_AFTER_MS = DAY_MS
GONE_AFTER_MS = DAY_MS  # A form that was open when its key was replaced can still pay for a day.


class CardKey:
    """One key of the ring. Prints its name alone."""

    __slots__ = ("created_ms", "gone_ms", "key", "kid", "public")

    def __init__(self, kid: str, key: ECKey, created_ms: int) -> None:
        self.kid = kid
        self.key = key
        self.created_ms = created_ms
        self.gone_ms = created_ms + ROTATE_AFTER_MS + GONE_AFTER_MS
        """From then on nothing is opened with it, even where nobody rotated in time."""
        self.public = public_jwk(key, kid)

    def __repr__(self) -> str:
        return f"CardKey({self.kid})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("kid", self.kid)]


class CardKeys:
    """The keys that a frame may encrypt to, the newest first.

    `random` gives that many random bytes (for a key's name). `make_scalar` gives a private scalar from 1 to the group's
    order − 1: the simulator seeds it; without it the key comes from OpenSSL's generator. Call `current` before `jwks`,
    and `current` or `find` now and then where nobody pays, so that old keys leave the memory on time.
    """

    def __init__(self, *, random: Callable[[int], bytes], make_scalar: Callable[[], int] | None = None) -> None:
        self._random = random
        self._make_scalar = make_scalar
        self._ring: list[CardKey] = []
        self._jwks = b'{"keys":[]}'

    def __repr__(self) -> str:
        return f"CardKeys({', '.join(key.kid for key in self._ring)})"

    def current(self, now_ms: int) -> CardKey:
        """The newest key; made now if there is none yet or it is a day old."""
        if not self._ring or now_ms >= self._ring[0].created_ms + ROTATE_AFTER_MS:
            return self.rotate(now_ms)
        self._forget(now_ms)
        return self._ring[0]

    def rotate(self, now_ms: int) -> CardKey:
        """Put a new key in front. The one it replaces opens payloads for 24 hours more."""
        if self._ring:
            newest = self._ring[0]
            newest.gone_ms = min(newest.gone_ms, now_ms + GONE_AFTER_MS)
        kid = base64.urlsafe_b64encode(self._random(12)).decode()
        self._ring.insert(0, CardKey(kid, ECKey.import_key(self._private_key()), now_ms))
        self._forget(now_ms)
        self._publish()
        return self._ring[0]

    def find(self, kid: str, now_ms: int) -> CardKey | None:
        """The key of that name, if it is still there."""
        self._forget(now_ms)
        return next((key for key in self._ring if key.kid == kid), None)

    def jwks(self) -> bytes:
        """The public keys as a JWK set (RFC 7517), the newest first; never a `d`."""
        return self._jwks

    def _private_key(self) -> EllipticCurvePrivateKey:
        if self._make_scalar is None:
            return generate_private_key(SECP256R1())
        return derive_private_key(self._make_scalar(), SECP256R1())

    def _forget(self, now_ms: int) -> None:
        if self._ring and self._ring[-1].gone_ms <= now_ms:
            self._ring = [key for key in self._ring if key.gone_ms > now_ms]
            self._publish()

    def _publish(self) -> None:
        self._jwks = msgspec.json.encode({"keys": [key.public for key in self._ring]})


def public_jwk(key: ECKey, kid: str) -> dict[str, str]:
    """The public half, member by member, so that nothing private can slip in."""
    numbers = key.public_key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(numbers.x),
        "y": _base64url(numbers.y),
        "kid": kid,
        "use": "enc",
        "alg": "ECDH-ES",
    }


def _base64url(coordinate: int) -> str:
    return base64.urlsafe_b64encode(coordinate.to_bytes(32, "big")).rstrip(b"=").decode()
