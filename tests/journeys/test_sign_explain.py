"""`paydesk sign explain`: what the server makes of a request's bytes, and whether its signature holds."""

import json
from pathlib import Path

import pytest

from paydesk_client import PaydeskAuth
from tests.journeys.cast import Cast
from tests.journeys.test_commands import SIGNED, paydesk, sentence, shown
from tests.stage.stage import Stage


def test_sign_explain_shows_what_the_server_signs(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(b'{"amount":1999}')
    target = "/v1/payment_intents?limit=3"
    facts = shown("sign", "explain", "post", target, *SIGNED, "--idempotency-key", "order-1", "--body", str(body))
    lines = facts["canonical"].split("\n")
    assert lines[:8] == [
        "PD1-HMAC-SHA256",
        "POST",
        "/v1/payment_intents",
        "limit=3",
        "key_test_abc",
        "2023-10-15T14:22:31Z",
        "n" * 16,
        "order-1",
    ]
    assert lines[8] == facts["sha256_of_body"]
    assert "clock" in facts["clock_offset"]
    assert "signature" not in facts


def test_sign_explain_says_whether_a_signature_holds_and_never_the_secret() -> None:
    secret = "sk_test_" + "s" * 43
    explain = ["sign", "explain", "GET", "/v1/ping", *SIGNED]
    made = shown(*explain, PAYDESK_SECRET=secret)["signature"]
    good = paydesk(*explain, "--signature", made, "--json", PAYDESK_SECRET=secret)
    assert json.loads(good.stdout)["holds"] == "yes"
    assert secret not in good.stdout
    assert shown(*explain, "--signature", "sha256=" + "0" * 64, PAYDESK_SECRET=secret)["holds"] == "no"


def test_sign_explain_checks_with_the_keys_own_secret(cast: Cast, stage: Stage) -> None:
    """Over the socket of the running `serve`; neither the secret nor a signature that would be good comes back."""
    tea = cast.merchant()
    with cast.signed(tea) as client:
        sent = client.build_request("GET", "/v1/ping")
        sent = next(PaydeskAuth(tea.facts["key_id"], tea.facts["secret"]).auth_flow(sent))
    signed = [
        *("--key-id", tea.facts["key_id"], "--timestamp", sent.headers["x-request-timestamp"]),
        *("--nonce", sent.headers["x-request-nonce"]),
    ]
    good = sent.headers["x-signature"]
    explain = ["sign", "explain", "GET", "/v1/ping", *signed, "--signature"]
    done = paydesk(*explain, good, "--json", data=stage.data)
    facts = json.loads(done.stdout)
    assert (facts["holds"], facts["key"]) == ("yes", f"active, of {tea.account}")
    assert tea.facts["secret"] not in done.stdout
    wrong = paydesk(*explain, "sha256=" + "0" * 64, "--json", data=stage.data)
    assert json.loads(wrong.stdout)["holds"] == "no"
    assert good not in wrong.stdout
    unknown = shown("sign", "explain", "GET", "/v1/ping", *SIGNED, "--signature", good, data=stage.data)
    assert unknown["key"] == "not an active key of this data folder"
    assert "holds" not in unknown


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/v1//ping", {}),
        ("/v1/ping", {"--nonce": "short"}),
        ("/v1/ping", {"--timestamp": "2023-10-15"}),
        ("/v1/ping", {"--timestamp": "2023-13-15T14:22:31Z"}),
        ("/v1/ping", {"--key-id": "sk_test_secret"}),
        ("/v1/ping", {"--body": "/no/such/file"}),
        ("/v1/münchen", {}),
    ],
)
def test_sign_explain_says_what_is_malformed(path: str, changed: dict[str, str]) -> None:
    given = dict(zip(SIGNED[::2], SIGNED[1::2], strict=True)) | changed
    sentence("sign", "explain", "GET", path, *(part for pair in given.items() for part in pair))
