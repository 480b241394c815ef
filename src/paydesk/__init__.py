"""Paydesk: a self-hosted hosted checkout."""

__version__ = "0.1.0"
