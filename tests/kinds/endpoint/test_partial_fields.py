"""Some fields of an endpoint on their place on the wire."""

from reconciler.kinds.endpoint.partial_fields import changed_fields


def test_each_field_stands_where_the_mapping_puts_it() -> None:
    """And nothing else is said."""
    assert changed_fields({"image": "new:1", "replicas": 3, "taskTimeout": 60, "env": {"A": "1"}}) == {
        "image": {"image": "new:1"},
        "workerConfig": {"minNum": 3, "maxNum": 3, "freeTimeout": 60},
        "envs": {"A": "1"},
    }
    assert changed_fields({"minReplicas": 1}) == {"workerConfig": {"minNum": 1}}
    assert changed_fields({}) == {}


def test_zero_replicas_keep_the_most() -> None:
    """A most of zero would leave no worker that could ever start."""
    assert changed_fields({"replicas": 0}) == {"workerConfig": {"minNum": 0}}
