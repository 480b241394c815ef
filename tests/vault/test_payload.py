"""Opening what the frame sealed, and every way of sending something else."""

import base64
import hashlib
import json
import secrets
import struct
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from joserfc import jwe as jose
from joserfc.jwk import ECKey, OctKey, RSAKey

from paydesk.errors import Refusal
from paydesk.vault import payload
from paydesk.vault.cards import Card, CardFacts
from paydesk.vault.keys import DAY_MS, CardKeys, public_jwk
from tests.vault.seal_card import seal_bytes, seal_card

NOW_MS = 1_700_000_000_000
INTENT = "pi_test"
ORIGIN = "https://shop.example"
NUMBER = "4242424242424242"


def ring() -> CardKeys:
    keys = CardKeys(random=secrets.token_bytes)
    keys.current(NOW_MS)
    return keys


def public(keys: CardKeys) -> dict[str, Any]:
    return json.loads(keys.jwks())["keys"][0]


def plain(**changes: object) -> dict[str, Any]:
    whole: dict[str, object] = {
        "v": 1,
        "number": NUMBER,
        "exp_month": 12,
        "exp_year": 2030,
        "cvc": "987",
        "intent": INTENT,
        "origin": ORIGIN,
        "iat": NOW_MS // 1000,
        "jti": "abcdefghijklmnop",
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def opened(sealed: str, keys: CardKeys, now_ms: int = NOW_MS) -> tuple[Card, CardFacts]:
    return payload.open_card(
        sealed, keys, intent=INTENT, origins=(ORIGIN,), now_ms=now_ms, fingerprint=lambda number: "fp_" + number[-2:]
    )


def refusal(sealed: str, keys: CardKeys, now_ms: int = NOW_MS) -> Refusal:
    with pytest.raises(Refusal) as caught:
        opened(sealed, keys, now_ms)
    printed = "".join(traceback.format_exception(caught.value))
    assert NUMBER not in printed
    assert caught.value.__context__ is None, "an exception in between would carry the plaintext into tracebacks"
    return caught.value


def assert_invalid(sealed: str, keys: CardKeys) -> None:
    """One code, one status, one message, whatever is wrong."""
    no = refusal(sealed, keys)
    assert json.loads(no.body("r")) == json.loads(Refusal("card_payload_invalid").body("r"))
    assert no.status == 400


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(sealed: str, **changes: object) -> str:
    """The same parts under another protected header (which breaks the tag, so it must fall before or at decryption)."""
    protected, rest = sealed.split(".", 1)
    header = json.loads(base64.urlsafe_b64decode(protected + "=="))
    header = {name: value for name, value in (header | changes).items() if value is not ...}
    return b64(json.dumps(header).encode()) + "." + rest


def sealed_under(keys: CardKeys, **changes: object) -> str:
    """Sealed honestly under another header: the tag holds, so only the look at the header can refuse it."""
    jwk = public(keys)
    header: dict[str, Any] = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk["kid"], "typ": "paydesk-card+jwe"}
    header = {name: value for name, value in (header | changes).items() if value is not ...}
    registry = jose.JWERegistry(algorithms=[*ALL_ALGORITHMS, "DEF"], strict_check_header=False)
    key = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    return jose.encrypt_compact(header, json.dumps(plain()), key, registry=registry)


ALL_ALGORITHMS = ["ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128GCM", "A128CBC-HS256"]


def test_an_honest_payload_opens() -> None:
    keys = ring()
    sealed = seal_card(public(keys), plain(name="Ada Lovelace"))
    card, facts = opened(sealed, keys)
    assert card == Card(number=NUMBER, exp_month=12, exp_year=2030, cvc="987", name="Ada Lovelace")
    assert facts == CardFacts(
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        fingerprint="fp_42",
        jti="abcdefghijklmnop",
        digest=hashlib.sha256(sealed.encode()).hexdigest(),
    )
    assert NUMBER not in repr(facts)
    assert len(sealed) < 800


def test_the_helper_seals_as_the_protocol_says() -> None:
    sealed = seal_card(public(ring()), plain())
    header = json.loads(base64.urlsafe_b64decode(sealed.split(".")[0] + "=="))
    assert set(header) == {"alg", "enc", "kid", "epk", "typ"}
    assert set(header["epk"]) == {"kty", "crv", "x", "y"}


@pytest.mark.parametrize("seconds", [-900, 0, 900])
def test_fifteen_minutes_on_both_sides_are_in_time(seconds: int) -> None:
    keys = ring()
    opened(seal_card(public(keys), plain(iat=NOW_MS // 1000 + seconds)), keys)


def test_a_replaced_key_opens_and_a_gone_one_says_so() -> None:
    keys = ring()
    jwk = public(keys)
    keys.rotate(NOW_MS)
    late = NOW_MS + DAY_MS
    opened(seal_card(jwk, plain()), keys)
    no = refusal(seal_card(jwk, plain(iat=late // 1000)), keys, late)
    assert (no.code, no.status) == ("card_key_expired", 409)


def test_an_unknown_key_says_so() -> None:
    assert refusal(seal_card(public(ring()), plain()), ring()).code == "card_key_expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"intent": "pi_other"},
        {"intent": ...},
        {"origin": "https://evil.example"},
        {"origin": ORIGIN + "/"},
        {"origin": "null"},
        {"iat": NOW_MS // 1000 - 901},
        {"iat": NOW_MS // 1000 + 901},
        {"iat": NOW_MS},
        {"iat": float(NOW_MS // 1000)},
        {"iat": NOW_MS / 1000 + 0.5},
        {"iat": 10**400},
        {"jti": "short"},
        {"jti": "x" * 65},
        {"jti": "abcdefghijklmno\n"},
        {"jti": "abcdefghijklmnop\n"},
        {"jti": ...},
        {"v": 2},
        {"v": True},
        {"v": ...},
        {"amount": 1},
        {"number": int(NUMBER)},
        {"exp_month": "12"},
        {"exp_month": True},
        {"exp_year": 2030.0},
        {"cvc": 987},
        {"cvc": None},
        {"name": 7},
        {"name": "Ada\x00"},
        {"name": "A" * 201},
        {"number": [[[[]]]]},
    ],
    ids=str,
)
def test_a_plaintext_of_another_form_or_binding_is_invalid(changes: dict[str, object]) -> None:
    keys = ring()
    assert_invalid(seal_card(public(keys), plain(**changes)), keys)


HONEST = json.dumps(plain()).encode()


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        HONEST + b"x",
        b"\xef\xbb\xbf" + HONEST,
        HONEST[:-1] + b',"cvc":"123"}',
        HONEST.replace(b"2030", b"NaN"),
        HONEST.replace(b"2030", b"1e400"),
        HONEST.replace(b'"987"', b'"\\ud800"'),
        HONEST.replace(b'"987"', b'"\xff"'),
        HONEST[:-1] + b',"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b"[" * 2800,
    ],
    ids=range(13),
)
def test_a_plaintext_that_is_not_strict_json_is_invalid(plaintext: bytes) -> None:
    keys = ring()
    assert_invalid(seal_bytes(public(keys), plaintext), keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"alg": "dir"},
        {"alg": "RSA1_5"},
        {"alg": "RSA-OAEP"},
        {"alg": "PBES2-HS256+A128KW", "p2s": "c2FsdHNhbHQ", "p2c": 300_000},
        {"alg": "ECDH-ES+A256KW"},
        {"alg": ...},
        {"alg": ["ECDH-ES"]},
        {"enc": "A128GCM"},
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"crit": ["exp"]},
        {"crit": []},
        {"apu": "QQ"},
        {"apv": "QQ"},
        {"jku": "https://evil.example/keys"},
        {"jwk": {}},
        {"typ": "JOSE"},
        {"typ": ...},
        {"cty": "json"},
        {"kid": ...},
        {"kid": 7},
        {"epk": ...},
        {"epk": {}},
        {"epk": None},
    ],
    ids=str,
)
def test_a_header_of_another_form_is_invalid(changes: dict[str, object]) -> None:
    keys = ring()
    assert_invalid(with_header(seal_card(public(keys), plain()), **changes), keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "ECDH-ES+A256KW"},
        {"enc": "A128GCM"},
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"apu": "QQ", "apv": "QQ"},
        {"typ": ...},
        {"typ": "paydesk-card+JWE"},
        {"cty": "json"},
        {"x-other": "1"},
    ],
    ids=str,
)
def test_another_header_is_invalid_even_where_the_tag_holds(changes: dict[str, object]) -> None:
    keys = ring()
    opened(sealed_under(keys), keys)  # The way of sealing is sound, so what follows falls for its header alone.
    assert_invalid(sealed_under(keys, **changes), keys)


@pytest.mark.parametrize("algorithm", ["RSA1_5", "dir", "PBES2-HS256+A128KW"])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_whole_payloads_of_other_algorithms_are_invalid(algorithm: str) -> None:
    keys = ring()
    key = {
        "RSA1_5": lambda: RSAKey.import_key(generate_private_key(65537, 2048).public_key()),
        "dir": lambda: OctKey.import_key(bytes(32)),
        "PBES2-HS256+A128KW": lambda: OctKey.import_key(b"password"),
    }[algorithm]()
    header = {"alg": algorithm, "enc": "A256GCM", "kid": public(keys)["kid"], "typ": "paydesk-card+jwe"}
    sealed = jose.encrypt_compact(header, json.dumps(plain()), key, algorithms=[algorithm, "A256GCM"])
    assert_invalid(sealed, keys)


def sealed_by_hand(keys: CardKeys, spoil: Callable[[dict[str, Any]], bytes]) -> str:
    """Sealed step by step (RFC 7518, section 4.6), so that `spoil` may write any header under a good tag."""
    jwk = public(keys)
    ours = ec.generate_private_key(ec.SECP256R1())
    epk = public_jwk(ECKey.import_key(ours), "")
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk["kid"], "typ": "paydesk-card+jwe"}
    protected = b64(spoil(header | {"epk": {name: epk[name] for name in ("kty", "crv", "x", "y")}}))
    theirs = ECKey.import_key(jwk).public_key
    fixed = struct.pack(">I", 7) + b"A256GCM" + struct.pack(">III", 0, 0, 256)
    key = ConcatKDFHash(hashes.SHA256(), 32, fixed).derive(ours.exchange(ec.ECDH(), theirs))
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(key).encrypt(nonce, HONEST, protected.encode())
    return ".".join([protected, "", b64(nonce), b64(sealed[:-16]), b64(sealed[-16:])])


def test_the_ephemeral_key_has_its_four_members_and_each_stands_once() -> None:
    keys = ring()

    def dumped(header: dict[str, Any]) -> bytes:
        return json.dumps(header).encode()

    opened(sealed_by_hand(keys, dumped), keys)
    assert_invalid(sealed_by_hand(keys, lambda header: dumped(header | {"epk": header["epk"] | {"ext": True}})), keys)
    assert_invalid(sealed_by_hand(keys, lambda header: dumped(header | {"epk": header["epk"] | {"d": "AA"}})), keys)
    assert_invalid(sealed_by_hand(keys, lambda header: dumped(header)[:-1] + b',"enc":"A256GCM"}'), keys)
    assert_invalid(sealed_by_hand(keys, lambda header: dumped(header)[:-2] + b',"kty":"EC"}}'), keys)
    assert_invalid(sealed_by_hand(keys, lambda header: b"\xef\xbb\xbf" + dumped(header)), keys)


def point(x: bytes, y: bytes, **changes: object) -> dict[str, object]:
    return {"kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y)} | changes


OTHER_CURVE = ECKey.generate_key("P-384").as_dict(private=False)


@pytest.mark.parametrize(
    "epk",
    [
        point(bytes(31) + b"\1", bytes(31) + b"\1"),
        point(bytes(32), bytes(32)),
        point(b"\xff" * 32, b"\xff" * 32),
        point(bytes(31), bytes(32)),
        point(bytes(33), bytes(32)),
        point(bytes(31) + b"\1", bytes(31) + b"\1", crv="P-384"),
        point(bytes(31) + b"\1", bytes(31) + b"\1", d=b64(bytes(31) + b"\1")),
        {name: OTHER_CURVE[name] for name in ("kty", "crv", "x", "y")},
        {"kty": "OKP", "crv": "X25519", "x": b64(bytes(32))},
    ],
    ids=range(9),
)
def test_an_ephemeral_key_off_the_curve_is_invalid(epk: dict[str, object]) -> None:
    keys = ring()
    assert_invalid(with_header(seal_card(public(keys), plain()), epk=epk), keys)


@pytest.mark.parametrize("part", range(5))
def test_a_flipped_byte_in_any_part_is_invalid(part: int) -> None:
    keys = ring()
    parts = seal_card(public(keys), plain()).split(".")
    if part == 0:  # Inside `epk`, so that the header still reads and the kid is still known.
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=="))
        header["epk"]["x"] = flip(header["epk"]["x"])
        parts[0] = b64(json.dumps(header).encode())
    else:
        parts[part] = flip(parts[part]) if parts[part] else "AA"
    assert_invalid(".".join(parts), keys)


def flip(text: str) -> str:
    return ("B" if text[0] != "B" else "C") + text[1:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[: len(sealed) // 2],
        lambda sealed: sealed.rpartition(".")[0],
        lambda sealed: sealed + ".",
        lambda sealed: sealed.rpartition(".")[0] + ".",
        lambda sealed: sealed + "=",
        lambda sealed: sealed + " ",
        lambda sealed: "\n" + sealed,
        lambda sealed: sealed[:-1] + "é",
        lambda sealed: sealed[:-1] + "\ud800",
        lambda sealed: "",
        lambda sealed: "....",
        lambda sealed: b64(b"[" * 2900) + "....",
        lambda sealed: b64(b'{"alg":"ECDH-ES","alg":"ECDH-ES"}') + "....",
        lambda sealed: json.dumps({"protected": sealed}),
    ],
    ids=range(15),
)
def test_spoilt_text_is_invalid(spoil: Callable[[str], str]) -> None:
    keys = ring()
    assert_invalid(spoil(seal_card(public(keys), plain())), keys)


def test_five_kibibytes_are_too_many_and_four_are_not() -> None:
    keys = ring()
    assert_invalid("A" * 5120, keys)
    assert_invalid(seal_bytes(public(keys), HONEST + b" " * 3500), keys)
    padded = seal_bytes(public(keys), HONEST + b" " * 2400)
    assert 3500 < len(padded) <= 4096
    opened(padded, keys)


def test_a_header_key_that_stands_twice_is_invalid() -> None:
    keys = ring()
    protected, rest = seal_card(public(keys), plain()).split(".", 1)
    twice = base64.urlsafe_b64decode(protected + "==")[:-1] + b',"typ":"paydesk-card+jwe"}'
    assert_invalid(b64(twice) + "." + rest, keys)


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"number": "4242424242424241"}, "incorrect_number", "number"),
        ({"exp_month": 13}, "invalid_expiry_month", "exp_month"),
        ({"exp_year": 10**999}, "invalid_expiry_year", "exp_year"),
        ({"exp_year": 23}, "invalid_expiry_year", "exp_year"),
        ({"exp_year": 2023, "exp_month": 10}, "expired_card", "exp_year"),
        ({"cvc": "98"}, "incorrect_cvc", "cvc"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_card_that_can_be_read_keeps_its_own_refusal(changes: dict[str, object], code: str, param: str) -> None:
    keys = ring()
    no = refusal(seal_card(public(keys), plain(**changes)), keys)
    assert (no.code, no.param, no.status) == (code, param, 402)


def test_binding_is_looked_at_before_the_card() -> None:
    keys = ring()
    assert_invalid(seal_card(public(keys), plain(number="4242424242424241", intent="pi_other")), keys)


def test_a_card_is_good_until_its_month_has_ended_everywhere() -> None:
    keys = CardKeys(random=secrets.token_bytes)
    december_first_ms = 1_701_388_800_000  # 2023-12-01T00:00:00Z
    for hours, good in ((11, True), (13, False)):
        now_ms = december_first_ms + hours * 3_600_000
        keys.current(now_ms)
        sealed = seal_card(public(keys), plain(exp_year=2023, exp_month=11, iat=now_ms // 1000))
        if good:
            opened(sealed, keys, now_ms)
        else:
            assert refusal(sealed, keys, now_ms).code == "expired_card"


def test_the_plaintext_prints_nothing() -> None:
    sealed = payload._strict(HONEST, payload.Sealed)
    assert NUMBER not in repr(sealed)
    assert "987" not in repr(sealed)
    assert "".join(name + value for name, value in sealed.__rich_repr__()) == "shownnothing"


def test_the_digest_is_of_the_text_as_sent() -> None:
    assert payload.digest("abc") == hashlib.sha256(b"abc").hexdigest()
    assert len(payload.digest("\ud800é")) == 64
