"""What the GitHub action does beside the command: a comment on a pull request, an issue for drift.

`action.yml` runs it as `python -m reconciler.github_action`. It is not part of the command line: `reconciler`
in a terminal talks to Novita only. It reads report files and the environment of a GitHub job, and imports
neither the rest of this package nor any dependency.
"""
