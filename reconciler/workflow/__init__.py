"""The commands as plain functions: wiring and nothing else.

context    what one run knows: folder, environment, options       account   the client, real or simulated
planning   files + inventory + account -> Planned                 applying  an approved plan, performed
previewing the exact requests                                     validating  files alone
saved      plans on disk                                          records   the inventory by hand
looking    what is there, all of it or one by name                watching  what happens to it
describing specs, and what Novita does not offer                  checking  all that can be wrong
"""
