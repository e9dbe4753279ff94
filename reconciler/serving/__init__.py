"""Requests to the URL of an endpoint, which has nothing to do with the API and never gets its key."""
