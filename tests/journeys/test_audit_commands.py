"""`paydesk audit`, with a running `serve` and without one."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from paydesk.assembly.opening import DataLock
from tests.journeys.cast import Cast
from tests.journeys.test_commands import create, paydesk, sentence, shown
from tests.stage.stage import Stage


def test_who_did_what_is_listed_and_holds(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    intent = tea.open(idempotency_key="order-1")
    entries = shown("audit", "list", "--account", tea.facts["merchant_id"], data=stage.data)
    assert [(entry["number"], entry["actor"], entry["action"], entry["object"]) for entry in entries] == [
        (1, "operator", "merchants create", tea.account),
        (2, f"key:{tea.facts['key_id']}", "POST /v1/payment_intents", intent["id"]),
    ]
    found = shown("audit", "verify", data=stage.data)
    assert (found["holds"], found["off"]) == (True, [])
    assert found["heads"][tea.account] == f"2:{entries[-1]['hash']}"


def test_a_log_that_was_changed_is_said_and_is_an_error(tmp_path: Path) -> None:
    data = tmp_path / "shop"
    facts = shown(*create("Tea House"), data=data)
    assert "holds" in paydesk("audit", "verify", data=data).stdout
    with closing(sqlite3.connect(data / "paydesk.db")) as database:
        database.execute("DROP TRIGGER audit_entries_no_update")
        database.execute("UPDATE audit_entries SET actor = 'somebody'")
        database.commit()
    done = paydesk("audit", "verify", data=data)
    assert (done.returncode, "line 1" in done.stdout, facts["account_id"] in done.stdout) == (1, True, True)
    assert "does not hold" in done.stderr
    as_json = paydesk("audit", "verify", "--json", data=data)
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["off"][0] == {
        "account": facts["account_id"],
        "number": 1,
        "why": json.loads(as_json.stdout)["off"][0]["why"],
    }
    DataLock(data).release()


def test_what_can_not_be_listed(stage: Stage) -> None:
    assert "--limit" in sentence("audit", "list", "--limit", "0", data=stage.data)
    assert "--account" in sentence("audit", "list", "--after", "3", data=stage.data)
