"""The ring of card keys: a new one every day, an old one gone a day later."""

import json
from itertools import count

from paydesk.vault.keys import DAY_MS, CardKeys

T0 = 1_700_000_000_000


def ring() -> CardKeys:
    numbers = count(1)
    return CardKeys(random=lambda size: next(numbers).to_bytes(size, "big"))


def kids(keys: CardKeys) -> list[str]:
    return [key["kid"] for key in json.loads(keys.jwks())["keys"]]


def test_the_published_key_is_public_and_complete() -> None:
    keys = ring()
    keys.current(T0)
    (key,) = json.loads(keys.jwks())["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "enc", "ECDH-ES")
    assert len(key["x"]) == len(key["y"]) == 43


def test_an_empty_ring_publishes_an_empty_set() -> None:
    assert json.loads(ring().jwks()) == {"keys": []}


def test_the_current_key_lasts_a_day() -> None:
    keys = ring()
    first = keys.current(T0)
    assert keys.current(T0 + DAY_MS - 1) is first
    second = keys.current(T0 + DAY_MS)
    assert second.kid != first.kid
    assert kids(keys) == [second.kid, first.kid]


def test_a_replaced_key_opens_for_a_day_more_and_is_gone() -> None:
    keys = ring()
    first = keys.current(T0)
    keys.rotate(T0 + 1000)
    assert keys.find(first.kid, T0 + 1000 + DAY_MS - 1) is first
    assert keys.find(first.kid, T0 + 1000 + DAY_MS) is None
    assert first.kid not in kids(keys)


def test_a_key_that_nobody_replaced_is_gone_two_days_after_it_was_made() -> None:
    keys = ring()
    first = keys.current(T0)
    assert keys.find(first.kid, T0 + 2 * DAY_MS - 1) is first
    assert keys.find(first.kid, T0 + 2 * DAY_MS) is None
    assert kids(keys) == []
    assert kids(keys) != [keys.current(T0 + 2 * DAY_MS).kid]
    assert len(kids(keys)) == 1


def test_a_late_rotation_gives_the_old_key_no_longer_life() -> None:
    keys = ring()
    first = keys.current(T0)
    keys.rotate(T0 + 2 * DAY_MS - 1)
    assert keys.find(first.kid, T0 + 2 * DAY_MS) is None


def test_an_unknown_key_is_not_found() -> None:
    keys = ring()
    keys.current(T0)
    assert keys.find("", T0) is None
    assert keys.find("another", T0) is None


def test_seeded_scalars_give_the_same_keys_and_fresh_ones_differ() -> None:
    def seeded() -> bytes:
        keys = CardKeys(random=bytes, make_scalar=lambda: 7)
        keys.current(T0)
        return keys.jwks()

    assert seeded() == seeded()
    one, other = ring(), ring()
    assert one.current(T0).public["x"] != other.current(T0).public["x"]


def test_nothing_private_is_printed() -> None:
    keys = CardKeys(random=bytes, make_scalar=lambda: 7)
    key = keys.current(T0)
    private = key.key.as_dict(private=True)["d"]
    for text in (repr(keys), repr(key), repr(key.key), str(keys), keys.jwks().decode()):
        assert str(private) not in text
