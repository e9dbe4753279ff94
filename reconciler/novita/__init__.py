"""The only HTTP: one client, the meaning of its answers, and the account as reads and writes."""
