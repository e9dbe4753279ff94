"""The comment on a pull request and the issue for drift that the GitHub action writes.

`action.yml` runs it as `python -m reconciler.github_action`. It is no part of the command line: `reconciler`
in a terminal talks only to Novita. It reads report files and the environment of a GitHub job, and imports
neither the rest of this package nor any dependency.
"""
