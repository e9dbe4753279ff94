"""Which slice of a list a page is; where pages begin and what lies past the end is nowhere documented."""

from collections.abc import Mapping

from reconciler.simulator.profile import Profile
from reconciler.simulator.validation import invalid, number_of


def bounds(query: Mapping[str, str], key: str, total: int, profile: Profile) -> tuple[int, int]:
    """Start and stop of the page that `pageSize` and `key` ask for, as positions among `total` items."""
    size = number_of(query.get("pageSize") or profile.default_page_size, "pageSize", low=0)
    size = min(size or profile.default_page_size, profile.max_page_size)
    page = number_of(query.get(key) or profile.page_base, key, low=0) - profile.page_base
    if page < 0:
        if profile.page_zero == "400":
            raise invalid(key, "pages count from 1")
        page = 0
    pages = max(1, -(-total // size))
    if page >= pages and profile.past_end == "400":
        raise invalid(key, "page past the end")
    if page >= pages and profile.past_end == "repeat":
        page = pages - 1
    return page * size, page * size + size
