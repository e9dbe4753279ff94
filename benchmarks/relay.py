"""A relay with a round-trip time, for want of a slow network.

`python -m benchmarks.relay PORT MILLISECONDS` prints its port and serves until its input ends. Each chunk is
passed on after half of the round-trip time, and a connection is opened after a whole one, as TCP does.
"""

from __future__ import annotations

import asyncio
import os
import sys


class Relay:
    def __init__(self, port: int, round_trip: float) -> None:
        self.port, self.round_trip = port, round_trip

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = asyncio.get_running_loop().time() + self.round_trip
        behind = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(self._copy(reader, behind[1], opened), self._copy(behind[0], writer, opened))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, opened: float) -> None:
        """Pass on each chunk after its delay. The next ones are read meanwhile."""
        loop = asyncio.get_running_loop()
        while data := await source.read(1 << 16):
            loop.call_at(max(loop.time(), opened) + self.round_trip / 2, target.write, data)
        loop.call_later(self.round_trip / 2, target.close)


async def main(port: int, milliseconds: float) -> None:
    relay = Relay(port, milliseconds / 1000)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # open connections would be reported as cancelled


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
