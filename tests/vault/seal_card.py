"""Seal a card as the frame does: a compact JWE, ECDH-ES on P-256 with A256GCM."""

import json
from typing import Any

from joserfc import jwe
from joserfc.jwk import ECKey

ALGORITHMS = ["ECDH-ES", "A256GCM"]


def seal_card(jwk: dict[str, Any], plaintext: dict[str, Any]) -> str:
    """`jwk` is one key of the JWK set, `plaintext` the card with its binding."""
    return seal_bytes(jwk, json.dumps(plaintext).encode())


def seal_bytes(jwk: dict[str, Any], plaintext: bytes) -> str:
    """As `seal_card`, for plaintexts that no honest frame would make."""
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk["kid"], "typ": "paydesk-card+jwe"}
    return jwe.encrypt_compact(header, plaintext, ECKey.import_key(jwk), algorithms=ALGORITHMS)
