"""The seed's deployment provider as a Python class, on the core that the commands run on.

requests   what a caller asks for                 answers   what a caller gets
provider   the calls themselves                   asynchronous   the same calls, awaited
"""
