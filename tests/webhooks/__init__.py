"""The published event contract: every file of webhooks/ is tried, not remembered."""
