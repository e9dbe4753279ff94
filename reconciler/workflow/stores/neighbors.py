"""The refusal to record what another inventory of the same store records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.model.errors import InvalidConfig
from reconciler.planning.neighbors import neighbor_guard
from reconciler.workflow.runtime.environment import neighbors_by_id

if TYPE_CHECKING:
    from reconciler.workflow.runtime.context import Context


def refuse_of_neighbors(context: Context, names: Mapping[str, str]) -> None:
    """Raise InvalidConfig if another inventory of the store records one of these resources.

    names: the name to record each of them under, by ID.
    """
    owners = neighbors_by_id(context) if names else {}
    if problems := [neighbor_guard(names[one], one, owners[one]) for one in names if one in owners]:
        raise InvalidConfig(*problems)
