"""The stage on which journeys play: real processes on free ports, a webhook receiver, and a shopper who pays over HTTP.

Read: `processes.py`, `receiver.py`, `shopper.py`, `stage.py`.
"""
