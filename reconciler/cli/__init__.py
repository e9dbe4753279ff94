"""The command line: parses arguments, calls the workflow, writes the output and exits."""
