"""How a kind writes YAML: the part of its contract that `import` and `convert` use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.model.problem import Problem
from reconciler.model.resource import Live, Spec

if TYPE_CHECKING:
    from reconciler.kinds.draft import Draft


class YamlItems:
    """The YAML of live objects, and of objects of other formats. By default a kind writes none."""

    key: str

    def importable(
        self, live: Sequence[Live], taken: Iterable[str]
    ) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
        """Return (the objects that YAML can declare, a warning for each name that is left out).

        `taken` are the names in use.
        """
        return (), ()

    def draft(
        self,
        live: Sequence[Live],
        specs: Sequence[Spec],
        *,
        spec_names: Iterable[str],
        app_names: Iterable[str],
        in_use: Mapping[str, str | None],
    ) -> Draft:
        """Return the YAML for objects that are `importable`.

        specs: the usable specs. spec_names: the names of all specs. app_names: those of declared endpoints.
        in_use: the variables that are referred to already, with their values.
        """
        from reconciler.kinds.draft import Draft

        return Draft(live=(), items=(), new_specs=(), variables=())

    def named_item(self, name: str) -> dict[str, Any]:
        """Return the fields that give an object this name."""
        return {self.key: name}

    def ordered_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return an item with its names in the order in which items are written."""
        return dict(item)
