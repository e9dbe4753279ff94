"""Plans on disk: written, read, compared with the account."""
