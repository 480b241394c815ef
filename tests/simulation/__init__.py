"""The simulation in short: seeds that pass, the same seed twice, deliberate bugs that it catches, and its own parts."""
