"""The web page of `reconciler serve`: templates, one style sheet and one script, without a request elsewhere.

handlers    the pages of the endpoints, the stream of their changes, signing in
changes     the plan, and its apply
rows        the rows of the table, from a snapshot of the account
query       the filter and the order of the rows, which are kept in the URL
sessions    signed-in browsers
rendering   templates and static files
"""
