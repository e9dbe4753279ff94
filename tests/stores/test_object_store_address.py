"""Addresses of object stores, and the variables that belong to them."""

from __future__ import annotations

import pytest

from reconciler.inventory.stores.object_store import open_store
from reconciler.inventory.stores.object_store.address import parse_address
from reconciler.inventory.stores.object_store.bucket import Bucket
from tests.stores.object_stores import refused


@pytest.mark.parametrize(
    "text",
    ["s3://bucket/prod", "s3://my.bucket-1/team/prod", "gs://bucket_1/team/prod", "az://container/a.b/c=d"],
)
def test_an_address_is_its_own_label(text: str) -> None:
    assert open_store(text, {}).label == text
    assert open_store(f"{text}/", {}).label == text
    assert open_store(text, {}).folder is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://bucket", "--state s3://bucket/prod"),
        ("s3://bucket/", "--state s3://bucket/prod"),
        ("s3:///prod", "s3://BUCKET/prod"),
        ("s3://b!/prod", "s3://BUCKET/prod"),
        ("s3://bucket/a//b", "s3://BUCKET/prod"),
        ("s3://bucket/../b", "s3://BUCKET/prod"),
        ("s3://bucket/a b", "s3://BUCKET/prod"),
        ("s3://bucket/prod?region=x", "variables of the provider"),
        ("s3://bucket/prod#x", "variables of the provider"),
        ("ftp://bucket/prod", "s3://BUCKET/prod"),
        ("s3://[bucket/prod", "s3://BUCKET/prod"),
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text: str, words: str) -> None:
    with refused("store-address") as caught:
        open_store(text, {})
    assert words in caught.value.problem.hint


def test_a_credential_in_an_address_is_not_shown() -> None:
    with refused("store-address") as caught:
        open_store("s3://AKIATEST:secret-access-key@bucket/prod", {})
    assert "bucket" in caught.value.problem.summary


@pytest.mark.parametrize(
    ("scheme", "endpoint", "allow"),
    [
        ("s3", "AWS_ENDPOINT_URL_S3", "AWS_ALLOW_HTTP"),
        ("s3", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP"),
        ("gs", "GOOGLE_BASE_URL", "GOOGLE_ALLOW_HTTP"),
        ("az", "AZURE_STORAGE_ENDPOINT", "AZURE_ALLOW_HTTP"),
    ],
)
def test_tls_is_left_out_only_on_this_machine_or_on_request(scheme: str, endpoint: str, allow: str) -> None:
    address = parse_address(f"{scheme}://bucket/prod")
    with refused("store-without-tls") as caught:
        address.allows_http({endpoint: "http://minio.internal:9000"})
    assert f"{allow}=true" in caught.value.problem.hint
    assert "http://minio.internal:9000" in caught.value.problem.summary
    assert address.allows_http({endpoint: "http://minio.internal:9000", allow: "true"})
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "[::1]"):
        assert address.allows_http({endpoint: f"http://{host}:9000"})
    assert not address.allows_http({endpoint: "https://minio.internal:9000"})
    assert not address.allows_http({})


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        ("s3://bucket/prod", {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "team", "AWS_UNKNOWN": "x"}),
        ("gs://bucket/prod", {"GOOGLE_SKIP_SIGNATURE": "true", "GOOGLE_CLOUD_PROJECT": "x"}),
        ("az://bucket/prod", {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "Zm9v"}),
    ],
)
def test_each_provider_is_opened_with_its_variables_only(address: str, environ: dict[str, str]) -> None:
    assert Bucket(parse_address(address), environ).place.label == address


def test_an_account_of_azure_must_be_named() -> None:
    with refused("store-refused") as caught:
        open_store("az://container/prod", {}).read()
    assert "AZURE_STORAGE_ACCOUNT_NAME" in caught.value.problem.hint


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "perhaps"},
        {"AWS_ACCESS_KEY_ID": "AKIATEST"},
    ],
)
def test_variables_that_are_not_valid_or_complete_are_refused(environ: dict[str, str]) -> None:
    with refused("store-refused") as caught:
        open_store("s3://bucket/prod", environ).read()
    assert "AWS_SECRET_ACCESS_KEY" in caught.value.problem.hint
    assert "perhaps" not in f"{caught.value.problem}"


@pytest.mark.parametrize(
    ("address", "name", "value", "words"),
    [
        ("s3://bucket/prod", "AWS_ENDPOINT_URL_S3", "https://[bad", "is not a URL"),
        ("s3://bucket/prod", "AWS_ENDPOINT_URL_S3", "nonsense", "is not a URL"),
        ("s3://bucket/prod", "AWS_ENDPOINT_URL", "http://127.0.0.1:99999", "is not a URL"),
        (
            "s3://bucket/prod",
            "AWS_ENDPOINT_URL",
            "https://anna:secret-access-key@host",
            "contains a user name",
        ),
        ("s3://bucket/prod", "AWS_ACCESS_KEY_ID", "AKIATEST\n", "contains a character"),
        ("s3://bucket/prod", "AWS_SESSION_TOKEN", "tést", "contains a character"),
        ("gs://bucket/prod", "GOOGLE_BASE_URL", "x y", "is not a URL"),
        ("az://bucket/prod", "AZURE_STORAGE_ENDPOINT", "x y", "is not a URL"),
    ],
)
def test_a_variable_that_no_request_can_have_is_named(
    address: str, name: str, value: str, words: str
) -> None:
    with refused("store-refused") as caught:
        open_store(address, {name: value}).read()
    assert f"{name} {words}" in caught.value.problem.summary
    assert value.strip() not in f"{caught.value.problem}"
