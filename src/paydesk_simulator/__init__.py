"""The simulator: the server's own decisions, committer and duties on a virtual clock, the sandbox PSP's rules and
merchants' receivers in memory, seeded faults and crashes. Alone may import both the server and the sandbox.

Called as `python -m paydesk_simulator` (`make sim SEED=7`) and by tests/simulation. First a phase with faults (nothing
wrong may happen), then one without (everything must settle); then the books are compared.

Read: `stage.py` (the cast), `run.py` (one seed from beginning to end), `crash_points.py` and `schedules.py` (each point
of a flow crashed, operations at once: which, `meetings.py` says; `hand.py` plays them), `clock.py` (time that jumps),
`server.py` (one to three processes), `process.py` (one that dies and is started again), `world.py` (what dies with it),
`crashes.py` and `weather.py` (what goes wrong, when), `storage.py`, `network.py`, `psp.py`, `receiver.py` (where it
goes wrong), `door.py`, `requests.py`, `merchant.py`, `till.py`, `shopper.py`, `bank.py` (who asks, and who has a say),
`facts.py`, `gathered.py`, `checks.py`, `money.py`, `life.py` (what must hold), `report.py` (what is printed).
"""
