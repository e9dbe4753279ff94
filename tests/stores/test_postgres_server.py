"""The PostgreSQL server that the tests start."""

from tests.postgres_server import PostgresServer


def test_the_server_answers(postgres_server: PostgresServer) -> None:
    assert postgres_server.run_sql("select 1 + 1") == "2"


def test_each_address_has_a_schema_of_its_own(postgres_server: PostgresServer) -> None:
    assert postgres_server.address() != postgres_server.address()
