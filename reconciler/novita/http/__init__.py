"""The HTTP client: connections, rate limit, retries, proxies."""
