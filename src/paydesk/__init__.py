"""Paydesk: a self-hosted hosted checkout."""
