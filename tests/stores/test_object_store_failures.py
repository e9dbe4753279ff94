"""An object store that loses answers, refuses, or is not there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.inventory.stores.base import Content, HistoryLine, Hold
from reconciler.inventory.stores.object_store.bucket import LARGE
from reconciler.inventory.stores.object_store.hold import MAX_APPENDS
from reconciler.inventory.stores.object_store.store import ObjectStore
from tests.s3_proxy import LOST_ANSWER, LOST_REQUEST, Fault, refusal
from tests.s3_server import S3Server
from tests.stores.object_stores import Place, holder, place, refused, store
from tests.tls_relay import make_signed_certificate, tls_relay

__all__ = ["place"]


@pytest.mark.parametrize("fault", [LOST_ANSWER, LOST_REQUEST, Fault(status=503), refusal(503, "SlowDown")])
@pytest.mark.parametrize("part", ["head.json", "journal/", "parts/"])
def test_a_write_whose_answer_was_lost_is_done_once(place: Place, part: str, fault: Fault) -> None:
    with place.store(is_disturbed=True).hold(holder()) as hold:
        hold.append(b"one\n")
        place.proxy.fail_next("PUT", part, fault)
        hold.append(b"two\n")
        hold.fold(b"map\n", b"intent\n")
        hold.append(b"three\n")
        hold.append_history([HistoryLine(name="a", data=b"version\n")])
    assert place.store().read() == Content(map=b"map\n", journal=b"intent\nthree\n")
    assert place.store().read_history() == b"version\n"
    assert place.store().holder() is None


def test_a_lock_whose_answer_was_lost_is_held(place: Place) -> None:
    for _ in range(2):
        place.proxy.fail_next("PUT", "head.json", LOST_ANSWER)
        with place.store(is_disturbed=True).hold(holder()) as hold:
            hold.append(b"line\n")
    assert place.store().read().journal == b"line\nline\n"


def test_after_a_failed_append_only_a_fold_goes_on(place: Place) -> None:
    with place.store(is_disturbed=True).hold(holder()) as hold:
        hold.append(b"one\n")
        place.proxy.fail_next("PUT", "journal/", *[refusal(403, "AccessDenied")] * 2)
        with refused("store-refused"):
            hold.append(b"two\n")
        with refused("store-unavailable"):
            hold.append(b"three\n")
        hold.fold(b"map\n", b"")
        hold.append(b"four\n")
    assert place.store().read() == Content(map=b"map\n", journal=b"four\n")


def test_an_append_that_arrives_after_all_is_in_the_journal_or_before_the_fold(place: Place) -> None:
    bucket = place.bucket()
    with place.store(is_disturbed=True).hold(holder()) as hold:
        hold.append(b"one\n")
        place.proxy.fail_next("PUT", "journal/", *[refusal(403, "AccessDenied")] * 2)
        with refused("store-refused"):
            hold.append(b"two\n")
        hold.fold(b"map\n", b"")
        bucket.create("journal/0000000001-000000001", b"two\n")
        assert place.store().read() == Content(map=b"map\n")
        hold.append(b"three\n")
    with place.store().hold(holder()):
        assert place.store().read() == Content(map=b"map\n", journal=b"three\n")


@pytest.mark.parametrize("call", ["fold", "append_history", "write_document"])
def test_a_write_that_failed_changed_nothing_and_can_be_repeated(place: Place, call: str) -> None:
    calls: dict[str, Callable[[Hold], None]] = {
        "fold": lambda hold: hold.fold(b"new map\n", b"new\n"),
        "append_history": lambda hold: hold.append_history([HistoryLine(name="a", data=b"new\n")]),
        "write_document": lambda hold: hold.write_document("approved", b"new"),
    }

    def picture() -> tuple[Content, bytes, bytes | None]:
        seen = place.store()
        return seen.read(), seen.read_history(), seen.read_document("approved")

    with place.store(is_disturbed=True).hold(holder()) as hold:
        hold.fold(b"map\n", b"")
        hold.append(b"line\n")
        before = picture()
        place.proxy.fail_next("PUT", "parts/", *[refusal(403, "AccessDenied")] * 2)
        with refused("store-refused"):
            calls[call](hold)
        assert picture() == before
        place.proxy.fail_next("PUT", "head.json", *[refusal(403, "AccessDenied")] * 2)
        with refused("store-refused"):
            calls[call](hold)
        assert picture() == before
        calls[call](hold)
        assert picture() != before


def test_a_delete_that_fails_harms_nothing(place: Place) -> None:
    with place.store(is_disturbed=True).hold(holder()) as hold:
        hold.append(b"one\n")
        place.proxy.fail_next("POST", "delete", refusal(403, "AccessDenied"))
        hold.fold(b"map\n", b"")
        assert len(place.keys()) == 2
        assert place.store().read() == Content(map=b"map\n")
        hold.fold(b"map\n", b"")
    assert len(place.keys()) == 1


def uses() -> list[Callable[[ObjectStore], object]]:
    def hold(store: ObjectStore) -> None:
        with store.hold(holder()):
            pass

    return [ObjectStore.read, hold, ObjectStore.neighbors, lambda one: one.read_document("a")]


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (refusal(404, "NoSuchBucket"), "store-not-found", "there is no bucket"),
        (refusal(403, "AccessDenied"), "store-refused", "do not allow it (status 403 AccessDenied)"),
        (refusal(403, "InvalidAccessKeyId"), "store-refused", "refuses the credentials"),
        (refusal(403, "SignatureDoesNotMatch"), "store-refused", "refuses the credentials"),
        (refusal(400, "ExpiredToken"), "store-refused", "refuses the credentials"),
        (refusal(403, "RequestTimeTooSkewed"), "store-refused", "the clock of this machine is wrong"),
        (refusal(400, "AuthorizationHeaderMalformed"), "store-refused", "another region than AWS_REGION"),
        (refusal(301, "PermanentRedirect"), "store-refused", "another region than AWS_REGION"),
        (refusal(404), "store-failed", "answers with status 404"),
        (refusal(418), "store-failed", "answers with status 418"),
        (Fault(forwards=False, status=200, body="<html>"), "store-failed", ""),
    ],
    ids=lambda value: f"{value.status} {value.body[28:60]}" if isinstance(value, Fault) else "",
)
def test_what_the_server_says_is_explained(place: Place, fault: Fault, code: str, words: str) -> None:
    place.proxy.fault = lambda method, path: fault
    reading = place.store(is_disturbed=True)
    with refused(code) as caught:
        reading.read()
    assert words in caught.value.problem.summary
    assert place.address in caught.value.problem.summary
    if not words:
        return
    for use in uses():
        with refused(code):
            use(place.store(is_disturbed=True))


def test_a_server_that_stays_unavailable_is_asked_a_few_times(place: Place) -> None:
    place.proxy.fault = lambda method, path: Fault(forwards=False, status=503)
    with refused("store-unavailable") as caught:
        place.store(is_disturbed=True).exists()
    assert "is not available (status 503)" in caught.value.problem.summary
    assert 2 <= len(place.proxy.seen) <= 6


def test_a_bucket_that_does_not_exist_comes_with_the_command_that_makes_it(s3_server: S3Server) -> None:
    with refused("store-not-found") as caught:
        store("s3://no-such-bucket/prod", s3_server.environ()).read()
    assert "aws s3 mb s3://no-such-bucket" in caught.value.problem.hint


def test_a_server_that_is_not_there_refuses_the_connection(s3_server: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with refused("store-unavailable") as caught:
        store("s3://bucket/prod", s3_server.environ(f"http://127.0.0.1:{port}")).read()
    assert f"http://127.0.0.1:{port} refuses the connection" in caught.value.problem.summary


def test_a_server_that_never_answers_is_given_up(s3_server: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = s3_server.environ(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with refused("store-unavailable") as caught:
            store("s3://bucket/prod", silent, timeout=0.3).read()
    assert "did not answer in time" in caught.value.problem.summary


def test_a_slow_server_is_waited_for(place: Place) -> None:
    place.proxy.fault = lambda method, path: Fault(before=lambda: threading.Event().wait(0.03))
    with place.store(is_disturbed=True).hold(holder()) as hold:
        hold.append(b"line\n")
    assert place.store().read().journal == b"line\n"


def test_without_credentials_the_variables_are_named(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{port}")
    environ = {"AWS_ENDPOINT_URL_S3": s3_server.url}
    with refused("store-refused") as caught:
        store("s3://bucket/prod", environ).read()
    assert "there are no credentials" in caught.value.problem.summary
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in caught.value.problem.hint


def test_an_own_certificate_authority_must_be_named(s3_server: S3Server, tmp_path: Path) -> None:
    certificate, key, authority = make_signed_certificate(tmp_path)
    address = s3_server.new_address()
    with tls_relay(s3_server.url, certificate, key) as relay:
        environ = s3_server.environ(relay.url)
        with refused("store-unavailable") as caught:
            store(address, environ).read()
        assert f"the certificate of {relay.url} is not trusted" in caught.value.problem.summary
        assert "SSL_CERT_FILE" in caught.value.problem.hint
        assert store(address, {**environ, "AWS_CA_BUNDLE": str(authority)}).read() == Content()
    with refused("store-refused"):
        store(address, {**environ, "AWS_CA_BUNDLE": str(tmp_path / "missing.pem")}).read()


def test_a_merge_whose_answer_was_lost_does_not_repeat_lines(place: Place) -> None:
    """The head names the merged lines already, and the run does not know it."""
    state = ["head is changed", "head cannot be read"]

    def fault(method: str, path: str) -> Fault | None:
        if "head.json" not in path or not state:
            return None
        if method == "PUT" and len(state) == 2:
            del state[0]
            return LOST_ANSWER
        if method == "GET" and len(state) == 1:
            state.clear()
        return refusal(403, "AccessDenied")

    lines = [b"%d\n" % number for number in range(MAX_APPENDS + 5)]
    with place.store(is_disturbed=True).hold(holder()) as hold:
        for number, line in enumerate(lines):
            if number == MAX_APPENDS - 1:
                place.proxy.fault = fault
            hold.append(line)
        assert not state
        assert place.store().read().journal == b"".join(lines)
        hold.append(b"last\n")
    assert place.store().read().journal == b"".join(lines) + b"last\n"


def test_a_large_map_may_take_longer_than_a_small_request(place: Place) -> None:
    def slow(method: str, path: str) -> Fault | None:
        return (
            Fault(before=lambda: threading.Event().wait(0.8)) if method == "PUT" and "-map" in path else None
        )

    map_ = b"x" * (LARGE + 1)
    with place.store(is_disturbed=True, timeout=0.5).hold(holder()) as hold:
        place.proxy.fault = slow
        hold.fold(map_, b"")
    assert [request for request in place.proxy.seen if "PUT" in request and "-map" in request] == [
        f"PUT /{place.address.removeprefix('s3://')}/parts/0000000001-000001-map.json"
    ]
    assert place.store().read().map == map_


@pytest.mark.parametrize(("status", "code"), [(507, "XMinioStorageFull"), (500, "InternalError")])
def test_a_full_disk_of_the_server_loses_no_line(place: Place, status: int, code: str) -> None:
    """Each write is refused and has no effect, and the run goes on as soon as there is room."""
    disturbed = place.store(is_disturbed=True)
    with disturbed.hold(holder()) as hold:
        hold.append(b"one\n")
        hold.fold(b"map\n", b"one\n")
        place.proxy.fault = lambda method, _path: refusal(status, code) if method == "PUT" else None
        for write in (lambda: hold.append(b"two\n"), lambda: hold.fold(b"map 2\n", b"")):
            with refused("store-unavailable"):
                write()
        place.proxy.fault = lambda _method, _path: None
        assert disturbed.read() == Content(map=b"map\n", journal=b"one\n")
        hold.fold(b"map 3\n", b"two\n")
        hold.append(b"three\n")
    assert place.store().read() == Content(map=b"map 3\n", journal=b"two\nthree\n")
