"""`reconciler mcp`: the endpoints for AI assistants, by the Model Context Protocol over stdin and stdout.

tools     what an assistant may call, on the functions that the commands and the HTTP server use
answers   what it is told: the commands' documents without values of env, marked as data
process   the protocol, by the official SDK
"""
