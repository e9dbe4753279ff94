"""`reconciler doctor --probe-api` on the command line: consent, steps and report."""
