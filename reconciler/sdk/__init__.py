"""The Python API: a deployment provider that plans and applies as the commands do.

requests      the requests of a caller       responses   the responses to them
provider      the calls                      aio         the same calls for asyncio
"""
