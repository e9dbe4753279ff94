"""The fields that Novita does not have are listed where a plan without them imports nothing."""

from reconciler.kinds.endpoint.fields import UNSUPPORTED
from reconciler.kinds.endpoint.waverless_fields import NEVER_SENT, REFUSED


def test_the_names_are_those_of_the_problems() -> None:
    assert {*NEVER_SENT, *REFUSED, "gpuCount"} == UNSUPPORTED
