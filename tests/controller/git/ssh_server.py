"""An SSH server of one repository, as a process: `python -m tests.controller.git.ssh_server KEY CLIENT BARE`.

It prints its port. The only command that it knows is the one that git sends for a read.
"""

from __future__ import annotations

import asyncio
import sys

import asyncssh


class AnyUser(asyncssh.SSHServer):
    """A server that asks for a key."""

    def begin_auth(self, username: str) -> bool:
        return True


async def serve(host_key: str, client_key: str, bare: str) -> None:
    async def session(process: asyncssh.SSHServerProcess[bytes]) -> None:
        if process.command != f"git-upload-pack '{bare}'":
            process.stderr.write(b"fatal: not for you\n")
            process.exit(1)
            return
        protocol = process.env.get("GIT_PROTOCOL", "")
        environ = {"PATH": "/usr/bin:/bin", "GIT_PROTOCOL": protocol if isinstance(protocol, str) else ""}
        child = await asyncio.create_subprocess_exec(
            "git", "upload-pack", bare, stdin=-1, stdout=-1, stderr=-1, env=environ
        )
        await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
        await process.stdout.drain()
        process.exit(await child.wait())

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=AnyUser,
        server_host_keys=[host_key],
        authorized_client_keys=client_key,
        process_factory=session,
        encoding=None,
    )
    sys.stdout.write(f"{server.get_port()}\n")
    sys.stdout.flush()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
