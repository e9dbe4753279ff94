"""The operations of the HTTP API.

route_table        all operations, of which the routes and the OpenAPI document are made
reads, writes      the handlers that read and that change endpoints
catalog            the handlers for specs, defaults, and what Novita does not offer
bodies             request bodies
endpoint_objects   the shapes of the answers
openapi, schemas   the OpenAPI document
documentation      that document as a page
"""
