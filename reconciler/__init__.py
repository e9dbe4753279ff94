"""Declare Novita AI Serverless endpoints in YAML; plan, apply and guard them."""

__version__ = "0.1.0"
