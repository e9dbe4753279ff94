"""Shared by the commands: context, configuration, account, inventory, output files and git."""
