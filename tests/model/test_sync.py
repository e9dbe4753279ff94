"""The policy of the controller."""

from reconciler.model.sync.policy import DEFAULT_SYNC, ApplyPolicy, DriftPolicy, SyncPolicy


def test_an_endpoint_replaces_only_the_fields_that_it_declares() -> None:
    environment = SyncPolicy(drift=DriftPolicy.REVERT, prune=True)

    merged = environment.merged({"apply": ApplyPolicy.AUTO, "prune": False})

    assert merged == SyncPolicy(drift=DriftPolicy.REVERT, apply=ApplyPolicy.AUTO)


def test_without_a_declaration_changes_wait_for_an_approval() -> None:
    assert DEFAULT_SYNC.merged({}) is DEFAULT_SYNC
    assert (DEFAULT_SYNC.drift, DEFAULT_SYNC.apply, DEFAULT_SYNC.prune) == ("report", "manual", False)
