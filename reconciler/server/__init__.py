"""The HTTP API and the page of `reconciler serve` and `run --listen`, on the core that the commands use.

app              the application: routes, middleware and errors
process          the server process: listens, and stops in an orderly way
service          what the application holds while it runs
account_service  what servers of any protocol hold: the cache of the account, and the threads that write
account_cache    the last listing of the account, its age, and notifications about changes
guard            the checks of every request: host, origin, rights, size
settings, tokens what an operator decides
api/             the operations
pages/           the web page
sync/            the controller of `run --listen`: its state, its waiting plans, health and the hook
"""
