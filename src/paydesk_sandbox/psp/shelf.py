"""One kind of object in the books, found by id, by reference, by time."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from typing import Generic, TypeVar

from paydesk_sandbox.psp.objects import Told

Item = TypeVar("Item")


class Shelf(Generic[Item]):
    """`shows` gives what the API shows of an item. Items come in the order of their times, and never leave."""

    def __init__(self, shows: Callable[[Item], Told]) -> None:
        self.all: dict[str, Item] = {}
        self.by_reference: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
        """Merchant and reference → what stands under them."""
        self._by_merchant: defaultdict[str, list[Item]] = defaultdict(list)
        self._merchant_of: dict[str, str] = {}
        self._shows = shows

    def add(self, merchant: str, item: Item) -> None:
        thing = self._shows(item)
        self.all[thing.id] = item
        self._merchant_of[thing.id] = merchant
        self._by_merchant[merchant].append(item)
        self.by_reference[merchant, thing.reference].append(item)

    def find(self, merchant: str, thing_id: str) -> Item | None:
        """One by its id, if it is this merchant's."""
        return self.all[thing_id] if self._merchant_of.get(thing_id) == merchant else None

    def show(self, merchant: str, thing_id: str) -> Told | None:
        item = self.find(merchant, thing_id)
        return None if item is None else self._shows(item)

    def listed(self, merchant: str, reference: str | None, since_ms: int | None) -> list[Told]:
        """This merchant's, oldest first: of one reference, or made at `since_ms` or later, or all."""
        if reference is None:
            made = self._by_merchant.get(merchant, [])
        else:
            made = self.by_reference.get((merchant, reference), [])
        first = 0 if since_ms is None else bisect_left(made, since_ms, key=lambda item: self._shows(item).created_ms)
        return [self._shows(item) for item in made[first:]]
