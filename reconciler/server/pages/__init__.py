"""The web page of `reconciler serve`: templates, one style sheet and one script, without a request elsewhere.

routes      the routes of all pages
pages       the checks of every request, and what the pages share
endpoints   the page of all endpoints, and that of one
changes     the plan, its apply, and the runs so far
runs        applies that a person approved on the page
stream      the events that tell open pages when their content has changed
sign_in     the form for a token
rows        the rows of the table, from a snapshot of the account
query       the filter and the order of the rows, which are kept in the URL
sessions    signed-in browsers
rendering   templates and static files
"""
