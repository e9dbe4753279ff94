"""Why several formats leave a field out."""

from __future__ import annotations

from typing import Final

BUILD_IN: Final = "a worker has only the image: build it in"
LABELS: Final = "Novita has no labels"
PLACE: Final = "the spec of the endpoint has the one region and product"
RATES: Final = "Novita adds workers by waiting requests, not by requests per second: see `policy`"
SIZES: Final = "CPU and memory follow from the product of the spec"
URL: Final = "each endpoint has a URL of its own, with HTTPS"
VOLUMES: Final = "Novita mounts network storages: declare one in `storages`, and mount it with `storage`"
