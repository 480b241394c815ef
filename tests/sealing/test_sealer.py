"""Sealing, opening, and the values derived from the master key, against HKDF and HMAC written out here."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from paydesk.sealing.key_check import check, key_check
from paydesk.sealing.sealer import SealBroken, Sealer

KEY = bytes(range(32))
NONCE = bytes(range(100, 112))
PURPOSE = "api-secret"
ROW = "acct_1|key_test_1|secret"


def hkdf_of(purpose: str) -> bytes:
    """RFC 5869 for one block: extract with a salt of zeroes, expand with `info` and the counter 1."""
    extracted = hmac.digest(bytes(32), KEY, "sha256")
    return hmac.digest(extracted, f"paydesk/{purpose}/1".encode() + b"\x01", "sha256")


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


@given(st.binary(max_size=300), st.text(max_size=50), st.binary(min_size=12, max_size=12))
def test_what_is_sealed_opens_again(plaintext: bytes, aad: str, nonce: bytes) -> None:
    blob = Sealer(KEY).seal(PURPOSE, plaintext, aad, nonce)
    assert Sealer(KEY).open(PURPOSE, blob, aad) == plaintext


def test_the_layout_of_a_blob() -> None:
    blob = Sealer(KEY, key_number=7).seal(PURPOSE, b"secret", ROW, NONCE)
    assert blob[:2] == b"\x01\x07"
    assert blob[2:14] == NONCE
    assert AESGCM(hkdf_of(PURPOSE)).decrypt(NONCE, blob[14:], b"\x01\x07" + ROW.encode()) == b"secret"


def test_every_byte_counts() -> None:
    sealer = Sealer(KEY)
    blob = sealer.seal(PURPOSE, b"secret", ROW, NONCE)
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            sealer.open(PURPOSE, bytes(changed), ROW)


def test_every_length_counts() -> None:
    sealer = Sealer(KEY)
    blob = sealer.seal(PURPOSE, b"secret", ROW, NONCE)
    for size in range(len(blob)):
        with pytest.raises(SealBroken):
            sealer.open(PURPOSE, blob[:size], ROW)
    with pytest.raises(SealBroken):
        sealer.open(PURPOSE, blob + b"\x00", ROW)


@pytest.mark.parametrize(
    ("sealer", "purpose", "aad"),
    [
        (Sealer(KEY), PURPOSE, "acct_2|key_test_1|secret"),
        (Sealer(KEY), PURPOSE, ""),
        (Sealer(KEY), "webhook-secret", ROW),
        (Sealer(bytes(32)), PURPOSE, ROW),
        (Sealer(KEY, key_number=2), PURPOSE, ROW),
    ],
    ids=["another row", "no row", "another purpose", "another key", "another key number"],
)
def test_it_opens_for_nothing_else(sealer: Sealer, purpose: str, aad: str) -> None:
    blob = Sealer(KEY).seal(PURPOSE, b"secret", ROW, NONCE)
    with pytest.raises(SealBroken):
        sealer.open(purpose, blob, aad)


def test_sub_keys_are_those_of_hkdf_and_differ_by_purpose() -> None:
    sealer = Sealer(KEY)
    for purpose in ("client-secret", "card-fingerprint", PURPOSE):
        assert sealer.sub_key(purpose) == hkdf_of(purpose)
        assert sealer.sub_key(purpose) is sealer.sub_key(purpose)
    assert len({sealer.sub_key(purpose) for purpose in ("a", "b", "a-b", "client-secret")}) == 4


@pytest.mark.parametrize("purpose", ["", "a/b", "A", "a ", "a--b", "-a", "a-", "schlüssel", "a\n"])
def test_what_is_no_purpose(purpose: str) -> None:
    with pytest.raises(ValueError, match="not a purpose"):
        Sealer(KEY).sub_key(purpose)


def test_the_client_secret_is_the_published_derivation() -> None:
    made = Sealer(KEY).client_secret("acct_1", "pi_1")
    assert made == base64url(hmac.digest(hkdf_of("client-secret"), b"acct_1|pi_1", hashlib.sha256))
    assert len(made) == 43


def test_the_card_fingerprint_is_the_published_derivation() -> None:
    sealer = Sealer(KEY)
    made = sealer.card_fingerprint("acct_1", "4242424242424242")
    assert made == base64url(hmac.digest(hkdf_of("card-fingerprint"), b"acct_1|4242424242424242", hashlib.sha256))
    assert made != sealer.card_fingerprint("acct_2", "4242424242424242")
    assert made != sealer.card_fingerprint("acct_1", "5555555555554444")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(bytes(size))


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_a_nonce_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        Sealer(KEY).seal(PURPOSE, b"secret", ROW, bytes(size))


def test_a_sealer_does_not_show_its_key() -> None:
    sealer = Sealer(KEY)
    sealer.seal(PURPOSE, b"secret", ROW, NONCE)
    assert KEY.hex() not in repr(sealer)
    assert repr(KEY) not in repr(sealer)


def test_a_database_knows_its_key() -> None:
    blob = key_check(Sealer(KEY), NONCE)
    assert check(Sealer(KEY), blob)
    assert not check(Sealer(bytes(32)), blob)
    assert not check(Sealer(KEY, key_number=2), blob)
    assert not check(Sealer(KEY), blob[:-1] + b"\x00")
    assert not check(Sealer(KEY), b"")
    assert not check(Sealer(KEY), Sealer(KEY).seal("key-check", b"another constant", "key-check", NONCE))
