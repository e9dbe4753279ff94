"""Writes over a shared socket, through httpcore: the engine of httpx without its objects for each call."""

from __future__ import annotations
