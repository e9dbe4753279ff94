"""What the GitHub action does beside the command: a comment on a pull request, an issue for drift.

It is run by `action.yml` as `python -m reconciler.forge` and is no part of the command line: whoever runs
`reconciler` in a terminal talks to Novita and to nobody else. It reads report files and the environment of a
GitHub job, and needs neither the rest of this package nor any dependency.
"""
