"""The simulator: the server's own decisions, committer and duties on a virtual clock, the sandbox PSP's rules and
merchants' receivers in memory, seeded faults and crashes. Alone may import both the server and the sandbox.

Called as `python -m paydesk_simulator` (`make sim SEED=7`) and by tests/simulation. First a phase with faults (nothing
wrong may happen), then one without (everything must settle); then the books are compared.

Read: `run.py` (one seed from beginning to end), `clock.py` (time that jumps), `process.py` (a server that dies and is
started again), `world.py` (what dies with it), `crashes.py` and `weather.py` (what goes wrong, when), `storage.py`,
`network.py`, `psp.py`, `receiver.py` (where it goes wrong), `door.py`, `merchant.py`, `shopper.py` (who asks),
`facts.py` and `checks.py` (what must hold), `report.py` (what is printed).
"""
