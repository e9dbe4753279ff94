"""The durations of the controller that no user sets, in seconds."""

from __future__ import annotations

from typing import Final

# Calls of git servers.

HOOK_DELAY: Final = 1.0
"""After a call of the hook, before it is acted on: a push to several refs is several calls."""

HOOK_INTERVAL: Final = 5.0
"""Between two times of acting on calls of the hook, however many there are."""

FORWARDED_CALL_POLL: Final = 5.0
"""Between two looks of a leader for calls that reached a replica which stands by. Each is one small read."""

HOOK_AGE: Final = 300.0
"""Of a call with a signed time. Older ones may be sent again by somebody else."""

# Events and their delivery.

EVENT_REPEAT: Final = 86400.0
"""After which people are told again of an event that still lasts."""

DELIVERY_TIMEOUT: Final = 20.0
"""For one notification, from the connection to the last byte of the answer."""

FIRST_DELIVERY_PAUSE: Final = 1.0
"""Before the second attempt to deliver a notification; it doubles with each attempt."""

MAX_DELIVERY_PAUSE: Final = 300.0
"""The longest pause between two attempts. A chat service that is down is back within minutes or hours."""

DELIVERY_BUDGET: Final = 3600.0
"""For all attempts to deliver a notification. An older one is no news."""

DELIVERY_DRAIN: Final = 5.0
"""For notifications that are not delivered yet when the process ends."""

DRAIN_PAUSES: Final = (0.25, 0.5, 1.0)
"""Before each further attempt then, of each notification."""

# Leadership: of the processes that control one inventory, one acts.

LEADER_CHECK: Final = 1.0
"""Between two checks if the leadership is lost. Most need no request."""

LEADER_IDLE: Final = 60.0
"""After which PostgreSQL ends the session of a leader that is stopped. It asks every MAX_LOCK_AGE."""

LEADER_NEWS: Final = 300.0
"""Between two looks at who leads, by a process that waits. The clock of a bucket is read again then."""

FIRST_LEADER_RETRY: Final = 1.0
"""Before the second attempt to lead, if the store cannot be used; it doubles."""

MAX_LEADER_RETRY: Final = 30.0
"""The longest pause between two such attempts."""

# Rounds.

FIRST_BACKOFF: Final = 30.0
"""After the first failure of an endpoint or of the account; it doubles with each further one."""

MAX_BACKOFF: Final = 1800.0
"""The longest pause after failures. A person who has mended the cause waits for it at most."""

BUSY_RETRY: Final = 10.0
"""Until the next round if a command line has the lock of the inventory."""

CONTROLLER_LOCK_TIMEOUT: Final = 5.0
"""For an apply of the controller to get the inventory. A later round tries again."""

JITTER: Final = 0.2
"""The share by which `--poll` and `--interval` vary, so that many controllers do not ask at the same time."""

STATE_REFRESH: Final = 900.0
"""After which the state is written again although only its times have changed. GitLab keeps each version."""

SHUTDOWN_LIMIT: Final = 25.0
"""For changes in flight after a signal. Kubernetes and the unit of systemd kill a process after 30 s."""

BALANCE_INTERVAL: Final = 3600.0
"""Between two reads of the balance, for its metric. It changes slowly, and a round stays at its requests."""

QUIET_LOG: Final = 3600.0
"""Between two lines of the log while nothing happens."""

# The loop as its server sees it, and approvals.

APPROVAL_POLL: Final = 5.0
"""Between two looks of a controller for the approval of its waiting plan. Each is one small read."""

APPROVAL_LOCK_TIMEOUT: Final = 20.0
"""For an approval to get the lock of the inventory, which it needs for one small write."""

STATE_AGE: Final = 5.0
"""Of the state that a process that stands by shows, after which it reads the store again."""

BOARD_POLL: Final = 1.0
"""Between two looks of the server for a new state, while somebody has the page open."""

LOOP_STALLED: Final = 900.0
"""Without a sign of the loop of a controller, after which it counts as stalled. Each call has its own end."""
