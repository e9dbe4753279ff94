"""The resource kinds, each pure and behind the protocol of `kinds.base`."""
