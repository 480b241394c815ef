"""The world outside Paydesk, as real processes with books of their own: a PSP and a demo shop.

Neither knows the server, nor the server them; they meet over HTTP alone, so a test can compare what Paydesk believes
with what was really charged, and what it announced with what a shop really heard. Started by `python -m
paydesk_sandbox psp` and `… shop`, by tests, by the benchmark, and by merchants who want to try their own integration.
`psp/rules.py` runs without any process: the simulator drives it.

Read: `psp/rules.py`, `psp/server.py`, then `shop/orders.py`, `shop/server.py`. `bodies.py` reads JSON that was sent;
`door.py` is the listening socket of both.
"""
