"""A git repository as the source of a controller, read by the `git` program.

address   which repository, ref and folder
access    the credentials, as variables for git
program   git, without hooks, filters and the settings of users
cache     the folder for checkouts, which belongs to one process
checkout  the files of one commit
source    the commits of a ref
"""
