"""The OpenAPI document describes the running server: schemathesis asks it with valid and invalid requests."""

from __future__ import annotations

import re

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.specs.openapi import checks

from reconciler.server.api.route_table import OPERATIONS, Operation

from .conftest import WRITER, Client

EXAMPLES = 4
"""Requests for each operation and kind."""

ASKED = (
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
    checks.negative_data_rejection,
)
"""Not among them: a 500, which the original service answers where Novita refuses or offers nothing."""

KINDS = [
    *((operation, schemathesis.GenerationMode.POSITIVE) for operation in OPERATIONS),
    *((operation, schemathesis.GenerationMode.NEGATIVE) for operation in OPERATIONS if operation.body),
]


@pytest.mark.parametrize(
    ("operation", "mode"), KINDS, ids=[f"{operation.id}-{mode.value}" for operation, mode in KINDS]
)
def test_the_server_answers_as_the_document_says(
    shared: Client, operation: Operation, mode: schemathesis.GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(shared.get("/openapi.json").json)
    schema.config.update(base_url=shared.url)
    strategy = schema[operation.path][operation.method].as_strategy(generation_mode=mode)
    session = requests.Session()

    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(case=strategy)
    def ask(case: schemathesis.Case) -> None:
        response = case.call(headers={"Authorization": f"Bearer {WRITER}"}, session=session, timeout=30)
        assert "internal error" not in response.text
        if operation.media != "text/plain" or response.status_code != 200:
            case.validate_response(response, checks=ASKED)

    ask()
    session.close()


def test_the_document_lists_every_operation(shared: Client) -> None:
    document = shared.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert listed == {(operation.method, operation.path) for operation in OPERATIONS}
    assert len(OPERATIONS) == len({operation.id for operation in OPERATIONS})


def test_the_page_shows_it_without_another_host(shared: Client) -> None:
    page = shared.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for operation in OPERATIONS:
        assert f"{operation.method} {operation.path}</code>" in page.text
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert {address for address in addresses if not address.startswith("#")} == {"/docs.css", "/openapi.json"}
    assert "<script" not in page.text
    assert shared.get("/docs.css").headers["content-type"].startswith("text/css")
