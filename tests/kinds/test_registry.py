"""The kinds are known by type and section before they are imported."""

from __future__ import annotations

import pytest

from reconciler.kinds.base import Kind
from reconciler.kinds.network_storage.kind import STORAGE
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.kinds.registry_credential.kind import REGISTRY


@pytest.mark.parametrize("kind", [ENDPOINT, STORAGE, REGISTRY], ids=lambda kind: kind.type)
def test_a_kind_is_registered_with_its_own_type_and_section(kind: Kind) -> None:
    registered = KINDS[kind.type]
    assert (registered.type, registered.section) == (kind.type, kind.section)
    assert registered.table is kind.table


def test_every_kind_is_registered_by_its_type() -> None:
    assert list(KINDS) == [kind.type for kind in KINDS.values()]
    assert len({kind.section for kind in KINDS.values()}) == len(KINDS)
