"""Events: what is recorded with a change, and what is dispatched at all."""
