"""Notifications: they tell people events, and never delay a round.

targets   where they go, from the environment
messages  their texts: JSON, and text for a chat
webhook   sends one over HTTP
delivery  a queue and a thread for each target, with retries
"""
