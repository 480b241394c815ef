"""Sealing under the master key, and the values that are derived from it and stored nowhere."""

import hmac
import re
from base64 import urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
"""96 bits, what GCM is made for (NIST SP 800-38D, 8.2): random ones are safe for 2^32 blobs of one purpose."""
TAG_BYTES = 16

VERSION = 1
"""Of the blob's layout and of the derivation: it stands in the blob's first byte and at the end of HKDF's info."""

_HEADER_BYTES = 2
_PURPOSE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class SealBroken(Exception):
    """A blob does not open: another key, purpose or row than it was sealed for, or changed bytes."""


class Sealer:
    """The master key at work. One per process; keeps what it derived, because deriving costs more than sealing."""

    __slots__ = ("_header", "_key", "_lids", "_sub_keys")

    def __init__(self, key: bytes, key_number: int = 1) -> None:
        """`key` is 32 bytes. `key_number` (0–255) stands in each blob: after a change of keys each finds its own."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key
        self._header = bytes((VERSION, key_number))
        self._sub_keys: dict[str, bytes] = {}
        self._lids: dict[str, AESGCM] = {}

    def sub_key(self, purpose: str) -> bytes:
        """32 bytes for this purpose alone. A purpose is a constant of ours: lower-case words with dashes between."""
        if (known := self._sub_keys.get(purpose)) is not None:
            return known
        if not _PURPOSE.fullmatch(purpose):
            raise ValueError(f"{purpose!r} is not a purpose: lower-case words, with dashes between them")
        info = f"paydesk/{purpose}/{VERSION}".encode()
        made = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._key)
        self._sub_keys[purpose] = made
        return made

    def seal(self, purpose: str, plaintext: bytes, aad: str, nonce: bytes) -> bytes:
        """Version byte, key number, nonce, ciphertext with its tag.

        `aad` names the row and column that the blob belongs to (`account|object|…`): it opens with the same one only.
        `nonce` is 12 random bytes, new for every call: a repeated one breaks GCM altogether.
        """
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
        bound = self._header + aad.encode()
        return self._header + nonce + self._lid(purpose).encrypt(nonce, plaintext, bound)

    def open(self, purpose: str, blob: bytes, aad: str) -> bytes:
        """What was sealed; SealBroken if the key, the purpose, `aad` or any byte is another."""
        if len(blob) < _HEADER_BYTES + NONCE_BYTES + TAG_BYTES:
            raise SealBroken(f"the blob is too short ({len(blob)} bytes) to be a sealed one")
        if blob[:_HEADER_BYTES] != self._header:
            raise SealBroken(
                f"the blob has version {blob[0]} and key number {blob[1]}, not {self._header[0]} and {self._header[1]}"
            )
        nonce, sealed = blob[_HEADER_BYTES : _HEADER_BYTES + NONCE_BYTES], blob[_HEADER_BYTES + NONCE_BYTES :]
        try:
            return self._lid(purpose).decrypt(nonce, sealed, self._header + aad.encode())
        except InvalidTag:
            raise SealBroken(f"the blob was not sealed with this key for {purpose!r} and this row") from None

    def client_secret(self, account: str, intent: str) -> str:
        """What follows `_secret_` in a client secret: derived, so that a replay shows it again and nothing keeps it."""
        return self._derived("client-secret", f"{account}|{intent}")

    def card_fingerprint(self, account: str, number: str) -> str:
        """The same for the same card in the same account; no way back without the key. `number` is digits alone."""
        return self._derived("card-fingerprint", f"{account}|{number}")

    def challenge_state(self, attempt: str) -> str:
        """What proves that we named this attempt's challenge page: 128 bits, derived, so nothing stores it."""
        return self._derived("challenge-state", attempt)[:22]

    def _derived(self, purpose: str, text: str) -> str:
        digest = hmac.digest(self.sub_key(purpose), text.encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def _lid(self, purpose: str) -> AESGCM:
        if (lid := self._lids.get(purpose)) is None:
            lid = self._lids[purpose] = AESGCM(self.sub_key(purpose))
        return lid
