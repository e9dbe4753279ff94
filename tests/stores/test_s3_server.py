"""The S3 server of the tests does what the tests of object stores rely on."""

from tests.s3_server import S3Server


def test_each_address_has_a_bucket_of_its_own(s3_server: S3Server) -> None:
    assert s3_server.new_address() != s3_server.new_address()
