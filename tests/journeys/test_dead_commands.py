"""`paydesk dead` and `paydesk outcomes` as people use them: through a running `serve`, and without one."""

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.test_commands import paydesk, sentence, shown
from tests.stage.receiver import Receiver
from tests.stage.stage import Merchant, Stage, staged

PARKED = (
    "INSERT INTO dead_duties (account, id, kind, subject, note, tries, failures, reason, lease, created_ms, died_ms) "
    "SELECT account, 'dispatch:' || id, 'dispatch', id, object_id, 0, 5, 'ZeroDivisionError', 5, created_ms, "
    "created_ms + 60000 FROM events WHERE position = ?"
)


@pytest.fixture
def stage(tmp_path: Path) -> Generator[Stage]:
    """A stage of its own, since its server is stopped and started."""
    with staged(tmp_path) as playing:
        yield playing


def bury(stage: Stage, position: int) -> str:
    """A bug, mended since, had parked the dispatch of the account's n-th event."""
    with closing(sqlite3.connect(stage.data / "paydesk.db")) as database, database:
        database.execute(PARKED, (position,))
        (found,) = database.execute("SELECT max(id) FROM dead_duties").fetchone()
    return found


def merchant(stage: Stage) -> tuple[Merchant, Receiver]:
    """Its endpoint comes after its events, so that nothing was dispatched yet."""
    tea = stage.merchant(receiver=False)
    for number in range(3):
        tea.open(4200 + number)
    receiver = Receiver()
    added = stage.command("webhooks", "add", tea.facts["merchant_id"], receiver.url)
    receiver.secret = added["secret"]
    return tea, receiver


def test_the_dead_are_listed_retried_and_dropped_with_a_serve_and_without(stage: Stage) -> None:
    tea, receiver = merchant(stage)
    intents = [intent["id"] for intent in reversed(tea.client.payment_intents.list()["data"])]
    assert stage.server
    stage.server.stop()
    ids = [bury(stage, position) for position in (1, 2, 3)]

    # Without a serve: what is retried waits for the next one.
    listed = shown("dead", "list", data=stage.data)
    assert [dead["id"] for dead in listed] == ids
    assert {dead["reason"] for dead in listed} == {"ZeroDivisionError"}
    lines = paydesk("dead", "list", "--kind", "dispatch", data=stage.data).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ids
    assert shown("dead", "list", "--account", "acct_none", data=stage.data) == []
    assert shown("dead", "show", ids[0], data=stage.data) == listed[0]
    assert shown("dead", "retry", ids[0], data=stage.data) == {"retried": 1}
    assert receiver.received == []

    stage.start()
    receiver.wait_for("payment_intent.created", intents[0])

    # With one it is done at once.
    assert shown("dead", "retry", "--all", "--kind", "deliver", data=stage.data) == {"retried": 0}
    assert shown("dead", "retry", ids[1], data=stage.data) == {"retried": 1}
    receiver.wait_for("payment_intent.created", intents[1])
    assert "dead duty" in sentence("dead", "retry", ids[1], data=stage.data)
    assert shown("dead", "drop", ids[2], "--reason", "told by telephone", data=stage.data)["dropped"] == ids[2]
    assert shown("dead", "list", data=stage.data) == []
    dropped = shown("dead", "show", ids[2], data=stage.data)
    assert (dropped["account"], dropped["dropped_by"]) == (tea.facts["account_id"], "operator")
    assert dropped["reason"] == "told by telephone"
    line = shown("audit", "list", data=stage.data)[-1]
    assert (line["action"], line["object"], line["reason"]) == ("dead drop", ids[2], "told by telephone")
    assert line["at"] == dropped["dropped"]
    assert shown("audit", "verify", data=stage.data)["holds"]
    assert "dead duty" in sentence("dead", "drop", ids[2], "--reason", "again", data=stage.data)
    assert len(receiver.received) == 2
    receiver.close()


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["--all"],
        ["--kind", "deliver"],
        ["deliver:evt_1:we_1", "--all", "--kind", "deliver"],
        ["deliver:evt_1:we_1", "--kind", "deliver"],
    ],
)
def test_a_retry_is_of_one_or_of_all_of_a_kind(tmp_path: Path, given: list[str]) -> None:
    assert "--all --kind" in sentence("dead", "retry", *given, data=tmp_path / "data")


def test_a_list_has_an_end(tmp_path: Path) -> None:
    shown(
        "merchants",
        "create",
        "Tea House",
        "--origin",
        "https://tea.example",
        "--psp-url",
        "http://127.0.0.1:9",
        data=tmp_path / "data",
    )
    assert "--limit" in sentence("dead", "list", "--limit", "0", data=tmp_path / "data")


@pytest.mark.parametrize("command", ["list", "show", "retry", "drop"])
def test_every_command_explains_itself(command: str) -> None:
    assert "--json" in paydesk("dead", command, "--help").stdout
