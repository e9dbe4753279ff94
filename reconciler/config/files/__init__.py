"""Which files a run reads, and from where."""
