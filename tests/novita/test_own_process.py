"""Whose retries stamina may tell the world of."""

import stamina.instrumentation

from reconciler.model.secrets import Secret
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing

from .support import GET


def test_stamina_is_silenced_only_in_our_own_process() -> None:
    """As a guest we leave the host's hooks alone; alone we let nothing print beside the result."""
    before = stamina.instrumentation.get_on_retry_hooks()
    try:
        for is_own_process, expected in ((False, before), (True, ())):
            answers = iter([(503, {}, b""), (200, {}, b"{}")])
            with Client(
                "simulator",
                Secret(value="k", source="test"),
                app=lambda *_, answers=answers: next(answers),
                timing=Timing(sleep=lambda _: None, is_own_process=is_own_process),
            ) as client:
                assert client.send(GET) == {}
            assert tuple(stamina.instrumentation.get_on_retry_hooks()) == tuple(expected)
    finally:
        stamina.instrumentation.set_on_retry_hooks(before)
