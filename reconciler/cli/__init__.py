"""The commands: parse, call the workflow, render, exit. No decisions are made here."""
