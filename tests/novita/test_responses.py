"""Status x reason x body -> exception, exit code, whether it is asked again, and what the user reads."""

from dataclasses import dataclass

import pytest

from reconciler.model.errors import (
    AnswerLost,
    ApiError,
    KeyRefused,
    NotFound,
    Refused,
    ServerError,
    Throttled,
)
from reconciler.model.problem import ExitCode
from reconciler.model.request import Request

from .support import CREATE, DELETE, GET, KEY, LIST, UPDATE, Reply, client_of, refusal, reply, told

HTML = "<!DOCTYPE html><html><body>error code: 1010</body></html>"


@dataclass(frozen=True)
class Case:
    """One line: `sent` is how often the request goes out, `words` must appear in the message."""

    request: Request
    answer: Reply
    kind: type[ApiError]
    sent: int
    words: tuple[str, ...]
    exit: ExitCode = ExitCode.ERROR
    code: str = ""


CASES = [
    # the key
    Case(
        LIST,
        refusal(401, "UNAUTHORIZED"),
        KeyRefused,
        1,
        ("401 Unauthorized, UNAUTHORIZED",),
        ExitCode.REFUSED,
    ),
    Case(
        LIST,
        refusal(403, "INVALID_API_KEY"),
        KeyRefused,
        1,
        ("expired token", "reconciler plan"),
        ExitCode.REFUSED,
    ),
    Case(GET, refusal(403, "FORBIDDEN"), KeyRefused, 1, ("403 Forbidden",), ExitCode.REFUSED),
    Case(GET, refusal(400, "MISSING_API_KEY"), KeyRefused, 1, ("MISSING_API_KEY",), ExitCode.REFUSED),
    Case(GET, reply(401, ""), KeyRefused, 1, ("Invalid API key",), ExitCode.REFUSED),
    Case(GET, reply(403, ""), KeyRefused, 1, ("Invalid API key",), ExitCode.REFUSED),
    Case(
        GET,
        reply(401, {"error": {"code": "X", "message": "who"}}),
        KeyRefused,
        1,
        ("X", "who"),
        ExitCode.REFUSED,
    ),
    Case(
        CREATE,
        refusal(401, "UNAUTHORIZED"),
        KeyRefused,
        1,
        (
            "failed to create Novita endpoint (401 Unauthorized",
            "Invalid API key or expired token",
            "Verify API key in Novita Console",
            "config.yaml with correct API key",
        ),
        ExitCode.REFUSED,
        "key-refused",
    ),
    # the account
    Case(
        UPDATE,
        refusal(400, "BALANCE_NOT_ENOUGH"),
        KeyRefused,
        1,
        ("money",),
        ExitCode.REFUSED,
        "account-blocked",
    ),
    Case(CREATE, refusal(400, "EXPIRED_OR_BALANCE_NOT_ENOUGH"), KeyRefused, 1, ("Settle",), ExitCode.REFUSED),
    Case(GET, refusal(400, "BANNED_USER"), KeyRefused, 1, ("BANNED_USER",), ExitCode.REFUSED),
    Case(
        CREATE,
        refusal(403, "NOT_ENOUGH_BALANCE"),
        KeyRefused,
        1,
        ("money",),
        ExitCode.REFUSED,
        "account-blocked",
    ),
    Case(
        GET,
        refusal(403, "ACCESS_DENY"),
        KeyRefused,
        1,
        ("permission",),
        ExitCode.REFUSED,
        "key-lacks-permission",
    ),
    # the edge
    Case(GET, reply(403, HTML), Refused, 1, ("not a bad key", "1010"), code="edge-blocked"),
    Case(CREATE, reply(403, "error code: 1010"), Refused, 1, ("not a bad key",), code="edge-blocked"),
    # absent
    Case(GET, refusal(400, "SERVERLESS_ENDPOINT_NOT_FOUND"), NotFound, 1, ("endpoint not found in Novita",)),
    Case(GET, refusal(400, "RESOURCE_NOT_FOUND"), NotFound, 1, ("truly doesn't exist",)),
    Case(GET, refusal(400, "NOT_FOUNT"), NotFound, 1, ("reconciler apply",)),
    Case(UPDATE, refusal(404, ""), NotFound, 1, ("404 Not Found",), code="not-found"),
    Case(DELETE, reply(404, {"message": "gone"}), NotFound, 1, ("gone",)),
    Case(DELETE, reply(404, HTML), Refused, 1, ("novita.base_url",), code="wrong-address"),
    Case(LIST, reply(404, {"message": "no route"}), Refused, 1, ("base_url",), code="wrong-address"),
    Case(LIST, refusal(400, "RESOURCE_NOT_FOUND"), Refused, 1, ("base_url",), code="wrong-address"),
    Case(GET, reply(405, ""), Refused, 1, ("405 Method Not Allowed",), code="wrong-address"),
    # bad references
    Case(
        CREATE,
        refusal(404, ""),
        Refused,
        1,
        (
            "failed to create Novita endpoint (404 Not Found)",
            "Invalid product ID or region",
            "Check available products in Novita Console",
            "specs.yaml with correct productId and region",
            "verify the product is available in the specified region",
        ),
        code="bad-reference",
    ),
    Case(CREATE, refusal(400, "RESOURCE_NOT_FOUND"), Refused, 1, ("productId",), code="bad-reference"),
    Case(CREATE, refusal(400, "SERVERLESS_PRODUCT_NOT_FOUND"), Refused, 1, ("Invalid product ID or region",)),
    Case(GET, refusal(404, "SERVERLESS_WORKER_NOT_FOUND"), Refused, 1, ("does not exist",)),
    Case(CREATE, refusal(400, "NETWORK_STORAGE_NOT_FOUND"), Refused, 1, ("IDs",), code="bad-reference"),
    Case(CREATE, refusal(400, "IMAGE_NOT_FOUND"), Refused, 1, ("imageAuthId",), code="bad-reference"),
    # no, for good
    Case(CREATE, refusal(400, "SERVERLESS_APP_NAME_IS_EXIST"), Refused, 1, ("appName",), code="conflict"),
    Case(UPDATE, refusal(400, "CONFLICT"), Refused, 1, ("reconciler plan",), code="conflict"),
    Case(UPDATE, refusal(400, "VALIDATOR_PARAM", "bad port"), Refused, 1, ("bad port", "preview")),
    Case(CREATE, refusal(400, "INSUFFICIENT_RESOURCE"), Refused, 1, ("no GPU",), code="no-stock"),
    Case(CREATE, refusal(400, "IMAGE_AUTH_IN_USE"), Refused, 1, ("endpoint uses",), code="in-use"),
    Case(CREATE, refusal(400, "IMAGE_TOO_LARGE"), Refused, 1, ("too large",), code="dependency"),
    Case(CREATE, refusal(400, "NEW_THING"), Refused, 1, ("NEW_THING",), code="refused"),
    Case(GET, reply(400, '["odd"]'), Refused, 1, ("odd",), code="refused"),
    Case(GET, reply(418, {"msg": "teapot"}), Refused, 1, ("teapot",), code="refused"),
    Case(GET, reply(307, "", location="https://evil.test/x"), Refused, 1, ("evil.test", "not followed")),
    Case(UPDATE, reply(302, ""), Refused, 1, ("302 Found", "reconciler plan"), code="redirected"),
    Case(CREATE, reply(302, ""), AnswerLost, 1, ("302 Found", "may or may not"), code="redirected"),
    # in a while
    Case(GET, refusal(400, "OPERATION_LIMIT"), Refused, 4, ("Sent 4 times",), code="wrong-state"),
    Case(UPDATE, refusal(400, "CLUSTER_STATUS"), Refused, 4, ("busy",), code="wrong-state"),
    Case(CREATE, refusal(400, "DEPENDENT_RESOURCE_STATE"), Refused, 4, ("busy",), code="wrong-state"),
    Case(
        CREATE,
        refusal(400, "SOMETHING", "The Serverless cluster is not active now"),
        Refused,
        8,
        ("waking up", "Sent 8 times"),
        code="cluster-inactive",
    ),
    Case(
        CREATE, refusal(429, "RATE_LIMIT_EXCEEDED"), Throttled, 5, ("GPU quota", "support"), code="throttled"
    ),
    Case(GET, refusal(429, "SEND_CODE_TOO_FAST"), Throttled, 5, ("Too many calls",)),
    Case(CREATE, reply(429, HTML), Throttled, 5, ("429 Too Many Requests", "--parallelism")),
    # Novita failed
    Case(GET, refusal(500, "UNKNOWN"), ServerError, 5, ("500 Internal Server Error, UNKNOWN", "Sent 5")),
    Case(GET, refusal(500, "WALLET_NOT_FOUND"), ServerError, 5, ("WALLET_NOT_FOUND",)),
    Case(DELETE, reply(502, HTML), ServerError, 5, ("502 Bad Gateway",), code="server-error"),
    Case(UPDATE, reply(408, ""), ServerError, 5, ("408",), code="server-error"),
    Case(CREATE, reply(503, HTML), ServerError, 1, ("503 Service Unavailable",), code="server-error"),
    Case(CREATE, refusal(504, "UNKNOWN"), ServerError, 1, ("504",), code="server-error"),
    Case(GET, reply(499, ""), ServerError, 5, ("(499)",), code="server-error"),
    Case(CREATE, reply(499, ""), ServerError, 1, ("may or may not",), code="server-error"),
    Case(CREATE, refusal(500, "BALANCE_NOT_ENOUGH"), ServerError, 1, ("money", "may or may not")),
    Case(GET, refusal(503, "SERVERLESS_ENDPOINT_NOT_FOUND"), ServerError, 5, ("failed on its side",)),
    # 2xx that is none
    Case(GET, reply(200, {"code": 400, "reason": "X"}), Refused, 1, ("X",)),
    Case(GET, reply(200, {"code": "503", "reason": "Y"}), ServerError, 5, ("Y",), code="server-error"),
    Case(GET, reply(200, {"code": 404, "reason": "RESOURCE_NOT_FOUND"}), NotFound, 1, ("200 OK",)),
    Case(
        GET,
        reply(200, HTML),
        AnswerLost,
        5,
        ("200 OK, but it is not JSON", "reconciler plan -v"),
        code="answer-lost",
    ),
    Case(GET, reply(200, '{"endpoint": {"id'), AnswerLost, 5, ("not JSON",)),
    Case(GET, reply(200, b"\xff\xfe\x00"), AnswerLost, 5, ("not JSON",)),
    Case(GET, reply(200, "[" * 100_000), AnswerLost, 5, ("not JSON",)),
    Case(UPDATE, reply(200, HTML), AnswerLost, 5, ("may or may not", "reconciler plan")),
    Case(CREATE, reply(200, HTML), AnswerLost, 1, ("may or may not", "reconciler plan")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.request.path[-8:]}-{case.answer[2][:40]!r}")
def test_an_answer_becomes_its_error(case: Case) -> None:
    """Each answer raises its exception, with its exit code, after as many calls as the rules allow."""
    client, stub = client_of(case.answer)
    with client, pytest.raises(ApiError) as caught:
        client.send(case.request)
    error = caught.value
    text = told(error)
    assert type(error) is case.kind
    assert error.exit_code is case.exit
    assert error.problem.exit_code == case.exit
    assert len(stub.seen) == case.sent
    assert error.problem.code == (case.code or error.problem.code)
    for word in (*case.words, case.request.method, case.request.path, str(case.answer[0])):
        assert word in text
    assert error.problem.hint
    assert not error.problem.summary.endswith(".")
    assert KEY not in text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(200, {"id": "x"}), {"id": "x"}),
        (reply(201, '"bare"'), "bare"),
        (reply(200, ""), {}),
        (reply(204, b" \n"), {}),
        (reply(200, {"reason": "just text", "code": 0}), {"reason": "just text", "code": 0}),
        (reply(200, {"code": 0, "message": "ok", "id": "x"}), {"code": 0, "message": "ok", "id": "x"}),
        (reply(200, {"code": "20000", "message": "success"}), {"code": "20000", "message": "success"}),
        (reply(200, {"success": True, "error": None}), {"success": True, "error": None}),
        (reply(200, {"error": {"code": 0, "message": "ok"}}), {"error": {"code": 0, "message": "ok"}}),
        (reply(200, {"error": "", "errors": []}), {"error": "", "errors": []}),
        (reply(200, {"base_resp": {"status_code": 0}}), {"base_resp": {"status_code": 0}}),
        (reply(200, {"data": [{"id": "c", "status": 1}]}), {"data": [{"id": "c", "status": 1}]}),
        (
            reply(200, {"id": "x", "name": "a", "status": "failed"}),
            {"id": "x", "name": "a", "status": "failed"},
        ),
        (reply(200, {"endpoint": {"id": "x"}, "error": "old"}), {"endpoint": {"id": "x"}, "error": "old"}),
        (reply(200, b"\xef\xbb\xbf{}"), {}),
    ],
)
def test_a_2xx_gives_its_json(answer: Reply, expected: object) -> None:
    """Any 2xx is a success, an empty body reads as {}, and a stray `reason` is no refusal."""
    client, _ = client_of(answer)
    with client:
        assert client.send(GET) == expected


def test_a_quoted_message_is_cut_and_on_one_line() -> None:
    """A long, many-lined message is quoted in 200 characters of one line."""
    client, _ = client_of(refusal(400, "X", "first\nsecond\x1b[31m " + "w" * 5000))
    with client, pytest.raises(Refused) as caught:
        client.send(GET)
    detail = caught.value.problem.detail
    assert '"first second [31m www' in detail
    assert len(detail) < 600
    assert "\n" not in detail
    assert "\x1b" not in detail


def test_the_status_of_a_refusal_under_200_is_its_code() -> None:
    """The error carries the code of the body, so that callers need not know how it travelled."""
    client, _ = client_of(reply(200, {"code": 400, "reason": "VALIDATOR_PARAM"}))
    with client, pytest.raises(Refused) as caught:
        client.send(GET)
    assert (caught.value.status, caught.value.reason) == (400, "VALIDATOR_PARAM")
