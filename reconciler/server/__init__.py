"""The HTTP API of `reconciler serve`, on the core that the commands use.

app             the application: its routes, and what it holds while it runs
process         the server process: listens, and stops in an orderly way
account_cache   the last listing of the account, its age, and notifications about changes
"""
