"""What `make bench` runs: real processes on this machine, measured from outside, beside the figures that are asked.

`python -m bench` starts Paydesk, the sandbox PSP, a webhook receiver and a load generator, each a process of its own,
measures one thing after the other in one run, prints a table and writes `bench/results.json`.

Read: `figures.py` (what is asked and how it is shown), `measures.py` (how each figure is measured), `machine.py` (CPU,
memory, fsync, from the operating system), `stage.py` (the processes), then the load: `orders.py` (what the generator is
told), `generator.py`, `traffic.py` (one at a time, many at once, so many a second), `requests.py` (signed requests and
sealed cards, made beforehand), `connection.py`, and `receiver.py`.
"""
