"""All durations that no user sets: timeouts, pauses, intervals and their limits, in seconds.

A run without a failure waits for none of them: each read comes first, and a pause only after a read that
does not show the expected result yet. Those of the controller are in `reconciler.model.sync.durations`, and
those of the simulated Novita in `reconciler.simulator`. `reconciler.github_action` runs without this package.
"""

from __future__ import annotations

from typing import Final

# Requests.

CONNECT_TIMEOUT: Final = 10.0
"""For a connection with TLS. A far server takes less than a second; one lost packet adds up to three."""

TIMEOUT_MARGIN: Final = 0.025
"""By which the timeout of a socket may differ from the time that is left. To set it is a system call, at
which another thread may take the interpreter."""

MIN_TIMEOUT: Final = 0.05
"""For a call that has no time left. It then fails as a call that took too long."""

MAX_IDLE_TIME: Final = 5.0
"""After which an idle connection is not used again, as in httpx: many servers close theirs about then."""

CALL_TIMEOUT: Final = 60.0
"""For a whole call, from the connection to the last byte. Creates, the slowest, take some seconds."""

FIRST_RETRY_PAUSE: Final = 0.5
"""Before the second attempt; it doubles with each attempt. Shorter ones meet the same overload."""

MAX_RETRY_PAUSE: Final = 8.0
"""The longest pause between two attempts, unless Novita asks for more."""

CALL_BUDGET: Final = 90.0
"""For all attempts of a call with their pauses. Novita asks for 60 s at most."""

BUSY_BUDGET: Final = 60.0
"""The same if Novita says that an endpoint or a cluster is busy, which may take minutes."""

SCAN_PAUSES: Final = (0.25, 0.5, 0.5, 1.0, 2.0)
"""Before each further scan of a listing that was not complete: others are creating and deleting endpoints."""

# Reads that wait for a result.

FIRST_POLL: Final = 0.1
"""The shortest pause between two reads: about the time of one call."""

POLL_SHARE: Final = 0.15
"""A pause is this share of the time waited so far, so a result is noticed at most 15 % late."""

VISIBLE_TIMEOUT: Final = 8.0
"""For a write to become visible. A user saw updates after 2.5 to 3 s."""

MAX_VISIBLE_POLL: Final = 0.5
"""The longest pause between two reads that wait for a write to become visible."""

DELETE_TIMEOUT: Final = 120.0
"""For a deleted endpoint to be gone. Its workers may finish their requests first."""

MAX_DELETE_POLL: Final = 2.0
"""The longest pause between two reads that wait for a delete."""

NAME_RELEASE_TIMEOUT: Final = 30.0
"""For an app name to be free after this run deleted its endpoint."""

RELEASE_TIMEOUT: Final = 30.0
"""For Novita to know that an object is no longer used, after this run changed or deleted what used it."""

FIRST_NAME_POLL: Final = 0.5
"""The shortest pause between two creates that wait for an app name. Each is a write."""

MAX_NAME_POLL: Final = 2.0
"""The longest pause between two creates that wait for an app name."""

SETTLING_TIME: Final = 5.0
"""For a create without an answer to appear in listings: twice the longest lag seen (settle_seconds)."""

FIRST_SETTLING_POLL: Final = 0.25
"""The shortest pause between two listings that search for such a create."""

MAX_SETTLING_POLL: Final = 1.0
"""The longest pause between two such listings."""

READ_BACK_INTERVAL: Final = 2.0
"""Between two listings that read back what was written, while other changes are still being written."""

MAX_READ_BACK_INTERVAL: Final = 10.0
"""The same in an account with so many pages that a listing costs more than it reads back."""

MAX_CHECK_AGE: Final = 3.0
"""From the check of an endpoint to its write. Novita itself takes as long to show what others changed."""

SERVING_POLLS: Final = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Between reads that wait until endpoints serve (--wait); none exceeds poll_interval."""

ROLLOUT_BEGIN: Final = 120.0
"""For the first new worker after a change of what runs. The whole exchange takes about a minute."""

PREWARM_TIMEOUT: Final = 600.0
"""The default of prewarm_timeout. An image of 10 GB takes about five minutes."""

PREWARM_BEGIN: Final = 10.0
"""To begin the tasks, if --prewarm-timeout is less. Each takes a call."""

POLL_INTERVAL: Final = 10.0
"""The default of poll_interval. A worker takes minutes to start."""

MAX_SETTING: Final = 86400.0
"""The largest poll_interval and settle_seconds: a day."""

INTERRUPT_CHECK: Final = 0.25
"""Between two checks for an interrupt during a pause. A shorter delay is not noticed."""

# Requests to the URL of an endpoint.

FIRST_COLD_START_POLL: Final = 0.25
"""The shortest pause between two requests while no worker is ready."""

MAX_COLD_START_POLL: Final = 5.0
"""The longest pause between two requests while no worker is ready: a worker may take minutes."""

WAITING_REDRAW: Final = 1.0
"""Between two drawings of the line that says how long a request has been waiting."""

PROBE_TIMEOUT: Final = 600.0
"""The default timeout of a probe. The first worker of a large image takes some minutes."""

IMAGE_CHECK_TIMEOUT: Final = 5.0
"""For all digests that a plan asks registries for. Later ones are reported as not checked."""

PRICE_TIMEOUT: Final = 2.0
"""For prices once a plan is ready, in which they are shown. Later ones count as unknown."""

BUDGET_TIMEOUT: Final = 10.0
"""The same if a budget is set, which an unknown price may exceed, and for `cost`, which is about prices."""

MIN_RUNWAY: Final = 3 * 86400
"""For which the balance lasts at the floor, before `doctor` warns: a weekend."""

PIN_TIMEOUT: Final = 30.0
"""For all digests of `pin`, which has nothing else to do."""

# The writes of `doctor --probe-api --with-writes`.

API_PROBE_TIME: Final = 300.0
"""For all steps before the delete. Each lag that is measured may take its whole time once."""

API_PROBE_VISIBLE: Final = 30.0
"""For the effect of one write to be visible: ten times what a user saw."""

API_PROBE_DELETE: Final = 60.0
"""For the deleted endpoint to be gone. No worker finishes requests first."""

# The process and its terminal.

WAKE_DELAYS: Final = (0.0, 0.05, 0.2)
"""Before each wake-up after a signal: the main thread may begin to wait after the first one."""

CHECKPOINT_TIMEOUT: Final = 1.5
"""For writing the inventory after a second signal; GitHub's runner kills the job after 2.5 s."""

HEARTBEAT_INTERVAL: Final = 10.0
"""Between two messages about a change in progress, as in Terraform."""

REDRAW_INTERVAL: Final = 0.1
"""Between two drawings of the progress bar."""

MIN_BAR_DURATION: Final = 1.0
"""After which the progress bar is shown. A shorter run needs none."""

GIT_TIMEOUT: Final = 5.0
"""For a git command. A repository on an unreachable network drive must not block a run."""

HELPER_TIMEOUT: Final = 10.0
"""For a secret helper. Password managers answer within a second or two, unless they wait for a sign-in."""

HELPER_CHECK: Final = 0.05
"""Between two checks if a helper has ended, whose output a background process may keep open."""

HELPER_NOTICE: Final = 2.0
"""Without the value of a helper, after which the user is told what the run waits for."""

LOCK_NOTICE: Final = 2.0
"""Without the lock of the inventory, after which the user is told who has it."""

CLOCK_TOLERANCE: Final = 60.0
"""Between this machine's clock and Novita's, before `doctor` warns. Signatures and leases need no more."""

# The git repository of a controller.

GIT_POLL_TIMEOUT: Final = 30.0
"""For the question which commit a ref names. The next poll asks again."""

GIT_LOCAL_TIMEOUT: Final = 30.0
"""For a git command about files of this machine, whose disk may be slow."""

GIT_FETCH_TIMEOUT: Final = 600.0
"""For the download of one commit. A monorepo has megabytes of folders, even without its files."""

GIT_SILENCE: Final = 30
"""Without a byte of a download, after which it is given up. Whole seconds, as git wants them."""

# The server.

FILE_CLOCK: Final = 2.0
"""After a write, before the times of a file tell that it was not written again. FAT counts two seconds."""

READER_MEMORY: Final = 60.0
"""After the last reader, before the account is no longer listed. A dashboard asks more often."""

MAX_STALENESS: Final = 300.0
"""Of a listing that is served while newer ones fail."""

HEADER_TIMEOUT: Final = 5.0
"""For the head of a request to arrive, so that slow senders do not hold connections."""

BODY_TIMEOUT: Final = 20.0
"""For the body of a request to arrive."""

SWITCH_INTERVAL: Final = 0.0005
"""Between two threads of Python, so that answers do not wait for a listing: 5 ms otherwise, several times."""

KEEP_ALIVE: Final = 30.0
"""For the next request on a connection."""

STREAM_PAUSE: Final = 0.2
"""Between two events for one web page."""

STREAM_HEARTBEAT: Final = 15.0
"""Without an event, after which the server sends one, so that a dead connection is noticed."""

SESSION_LIFETIME: Final = 12 * 3600
"""Until a browser must sign in again: a working day."""

PROOF_LOCK_TIMEOUT: Final = 5.0
"""To record the result of a probe, if another run has the inventory. A lost result means one more probe."""

SERVER_LOCK_TIMEOUT: Final = 25.0
"""For a write to get the inventory. Clients and proxies often give up after 30 s."""

APPROVAL_LIFETIME: Final = 3600.0
"""Until an approved plan must be approved again: the person still remembers what it was."""

# An inventory as a state of GitLab, or of another Terraform http server.

STATE_PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Before each further attempt of a call to such a server. A restart of its process takes some seconds."""

STATE_LOCK_POLL: Final = 1.0
"""Between two attempts to get the lock that another run holds."""

MAX_STATE_LOCK_POLL: Final = 10.0
"""The longest pause between two such attempts. A server of many teams limits requests."""

STATE_PROBE: Final = 3.0
"""For which a run waits if the lock is held only to learn who holds it."""

STATE_TRUST: Final = 10.0
"""After its last answer, before a writer reads the serial again. A person needs longer to free a lock."""

# An inventory in an object store.

LEASE: Final = 60.0
"""For which the lock of an object store is held after it was renewed. A dead run blocks others this long."""

LEASE_RENEWALS: Final = 3
"""Renewals in one lease (count), so that one may fail."""

SAFE_SHARE: Final = 2 / 3
"""The share of a lease after which its holder no longer relies on it. The rest is for a slow request."""

OBJECT_CLOCK: Final = 1.0
"""To which the times of objects are exact: HTTP writes whole seconds."""

OBJECT_CONNECT_TIMEOUT: Final = 5.0
"""For a connection to an object store. It is often in the same network, and each attempt has this long."""

OBJECT_TIMEOUT: Final = 10.0
"""Without a byte from an object store. A lease can be renewed again after a request that got lost."""

LARGE_OBJECT_TIMEOUT: Final = 120.0
"""For one request with a large object. The map of 100,000 endpoints has some tens of megabytes."""

OBJECT_RETRIES: Final = 4
"""Further attempts of a request that an object store did not answer, or answered with 5xx (count)."""

FIRST_OBJECT_PAUSE: Final = 0.1
"""Before the second attempt; it doubles with each attempt."""

OBJECT_BUDGET: Final = 20.0
"""For all attempts of a request, after which no further one begins."""

LOCK_POLL: Final = 1.0
"""Between two looks at the lock of an object store that another run holds. Each is a small read."""

# An inventory in a file.

FILE_LOCK_POLL: Final = 0.1
"""Between two attempts to take a lock that another process holds. Each opens a file."""

# An inventory in PostgreSQL.

STATEMENT_TIMEOUT: Final = 30.0
"""For one statement. The map of 100,000 endpoints has some tens of megabytes."""

SESSION_POLL: Final = 0.1
"""Between two attempts to take a lock that another session holds. Each is one round trip."""

MAX_SESSION_POLL: Final = 0.3
"""The longest pause between two such attempts, so that the next leader acts within a second."""

RECONNECT_TIMEOUT: Final = 30.0
"""To get a lost connection and its lock back. A restart of a server takes some seconds."""

DEAD_SESSION: Final = 25.0
"""After which both ends drop a connection whose other end does not answer."""

MAX_LOCK_AGE: Final = 10.0
"""Since the server last answered the holder of the lock. It holds a lock longer than that for a dead one."""

POOLER_TIMEOUT: Final = 3.0
"""For a second connection, which tells whether a pooler gives both of them the same session."""
