"""The file of vectors itself: it tries enough, and each vector says what it is."""

import json
from collections import Counter
from pathlib import Path

VECTORS = json.loads((Path(__file__).parents[2] / "webhooks" / "signatures.json").read_bytes())["webhooks"]
HEADERS = ("webhook_id", "webhook_timestamp", "webhook_signature")


def test_every_vector_says_what_it_is() -> None:
    for vector in VECTORS:
        expected = {"name", "secrets", *HEADERS, "body", "now", "accepted"}
        if not vector["accepted"]:
            expected.add("why")
        assert set(vector) == expected, vector["name"]
        assert all(secret.startswith("whsec_") for secret in vector["secrets"])
    assert not [name for name, count in Counter(vector["name"] for vector in VECTORS).items() if count > 1]


def test_both_answers_and_every_reason_are_there() -> None:
    whys = Counter(vector.get("why", "accepted") for vector in VECTORS)
    assert whys["accepted"] >= 5
    assert set(whys) == {
        "accepted",
        "missing_header",
        "malformed_header",
        "timestamp_out_of_range",
        "invalid_signature",
        "malformed_body",
    }


def test_each_header_is_missing_once() -> None:
    missing = {name for vector in VECTORS for name in HEADERS if vector[name] is None}
    assert missing == set(HEADERS)
