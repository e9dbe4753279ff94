"""Clients, one for each call at a time."""

from __future__ import annotations

import httpx
import pytest

from reconciler.novita.http.connections import ConnectionPool


def new_pool() -> tuple[ConnectionPool, list[httpx.Client]]:
    made: list[httpx.Client] = []

    def build() -> httpx.Client:
        made.append(httpx.Client())
        return made[-1]

    return ConnectionPool(build), made


def test_the_last_used_connection_is_reused() -> None:
    pool, made = new_pool()
    with pool.acquire() as first, pool.acquire() as second:
        assert first is not second
    with pool.acquire() as third:
        assert third is first
    assert len(made) == 2
    pool.close()
    assert all(one.is_closed for one in made)


def test_close_ends_free_connections_at_once_and_used_ones_later() -> None:
    pool, made = new_pool()
    with pool.acquire() as first:
        with pool.acquire():
            pass
        pool.close()
        assert [one.is_closed for one in made] == [False, True]
        assert first is made[0]
        with pytest.raises(RuntimeError, match="closed"), pool.acquire():
            pass
    assert made[0].is_closed
    assert len(made) == 2
