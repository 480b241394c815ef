"""What goes wrong beside crashes: every kind of fault with its own rate, drawn anew for each seed.

Some kinds stay away from a seed altogether, so that others get room to do their harm (swarm testing,
Groce et al. 2012).
"""

from collections.abc import Sequence

from paydesk_simulator.dice import Random
from paydesk_simulator.journal import Journal

_POSTS = {
    "late": 0.15,
    "lands late": 0.1,
    "lands after all": 0.2,
    "lost after": 0.1,
    "lost before": 0.1,
    "status": 0.1,
    "status after": 0.1,
    "garbage": 0.1,
    "wrong amount": 0.1,
    "reset": 0.1,
    "notice early": 0.15,
}
"""What may go wrong with whatever the PSP is asked to do, at most."""

POSTS = ("psp", "capture", "cancel", "refund")
"""What it is asked to do: to charge, to capture, to let go, to give back."""

NOTICES = {"twice": 0.2, "late": 0.2, "lost": 0.15, "reordered": 0.15, "forged": 0.15, "unknown": 0.15}
"""What may go wrong with each notice of the PSP, at most."""

MOST = {
    **{f"{post} {kind}": most for post in POSTS for kind, most in _POSTS.items()},
    "psp refuse": 0.05,
    "psp forget keys": 0.05,
    "psp away": 0.06,
    "look-up late": 0.5,
    "look-up lost before": 0.2,
    "look-up status": 0.2,
    "look-up garbage": 0.2,
    "look-up wrong amount": 0.2,
    "look-up reset": 0.2,
    **{f"notice {kind}": most for kind, most in NOTICES.items()},
    "psp lands too late": 0.15,
    "bank disputes": 0.2,
    "bank decides": 0.5,
    "bank returns refund": 0.2,
    "bank ends hold": 0.2,
    "receiver error": 0.2,
    "receiver busy": 0.1,
    "receiver redirect": 0.05,
    "receiver lost after": 0.1,
    "receiver lost before": 0.1,
    "receiver late": 0.1,
    "receiver away": 0.03,
    "storage begin": 0.01,
    "storage load": 0.01,
    "storage read": 0.003,
    "storage write": 0.02,
    "storage conflict": 0.05,
    "storage full at commit": 0.03,
    "storage unknown, stored": 0.04,
    "storage unknown, lost": 0.04,
    "storage slow": 0.1,
    "client request lost": 0.1,
    "client answer lost": 0.15,
}
"""Kinds of fault, and the highest rate that a seed may give each: per question, delivery, batch, read or request."""

APART = ("psp lands too late", "notice lost")
"""A PSP that breaks its promise and does not say so: nobody can know but from its settlements. Never in one seed."""


class Weather:
    """The faults of one seed. `calm` ends them all."""

    def __init__(self, dice: Random, journal: Journal) -> None:
        self._dice = dice
        self._journal = journal
        self._rates = {kind: 0.0 if dice.random() < 0.4 else dice.random() * most for kind, most in MOST.items()}
        if self._rates[APART[0]]:
            self._rates[APART[1]] = 0.0
        self.calm = True

    def rates(self, kinds: Sequence[str]) -> dict[str, float]:
        """How often each of these strikes."""
        return {kind: self._rates[kind] for kind in kinds}

    def strikes(self, kind: str) -> bool:
        """Whether this kind of fault happens now; counted if it does."""
        rate = self._rates[kind]
        if self.calm or not rate or self._dice.random() >= rate:
            return False
        self._journal.count(kind)
        return True

    def first_of(self, kinds: Sequence[str]) -> str | None:
        """At most one of these kinds, by one throw."""
        if self.calm:
            return None
        thrown = self._dice.random()
        for kind in kinds:
            thrown -= self._rates[kind]
            if thrown < 0:
                self._journal.count(kind)
                return kind
        return None
