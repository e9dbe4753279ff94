"""Objects of an account that appear in their listing some time after they were made."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, ClassVar

from reconciler.model.lazy_dataclass import dataclass
from reconciler.simulator.api import Refusal

Item = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Listed:
    """Items by ID, with the keys of the API, oldest first, and when each was made (epoch seconds).

    Items are replaced and never changed in place, because another thread may be writing them to disk.
    """

    key: ClassVar[str] = "id"

    items: dict[str, Item] = field(default_factory=dict)
    created: dict[str, float] = field(default_factory=dict)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.items

    def add(self, item: Item, now: float) -> None:
        item_id = item[self.key]
        self.items[item_id] = item
        self.created[item_id] = now

    def find(self, item_id: str, reason: str, name: str) -> Item:
        """Return an item. Raise Refusal with the reason if there is none; `name` says what it is."""
        if item_id not in self.items:
            raise Refusal(reason, f"{name} {item_id!r} not found")
        return self.items[item_id]

    def remove(self, item_id: str) -> None:
        del self.items[item_id]
        self.created.pop(item_id, None)

    def visible(self, now: float, lag: float) -> Iterator[Item]:
        """Yield the items that a listing shows `lag` seconds after they were made."""
        for item_id, item in self.items.items():
            if now >= self.created.get(item_id, 0.0) + lag:
                yield item

    def load(self, items: list[Item], created: Mapping[str, float]) -> None:
        """Replace the items. `created` has their times, and perhaps those of others."""
        self.items = {item[self.key]: item for item in items}
        self.created = {item_id: created[item_id] for item_id in self.items if item_id in created}
