"""The commands as plain functions: wiring and nothing else.

context    what one run knows: folder, environment, options       account   the client, real or simulated
planning   files + inventory + account -> Planned                 applying  an approved plan, performed
previewing the exact requests                                     validating  files alone
saved      plans on disk                                          commit    the commit that one is bound to
drifting   what others moved, and the way back                    accepting what they moved, into the YAML
importing  YAML for what others made, proven first                records   the inventory by hand
recovering creates that were left open                            going_back  versions, and the way to one
starting   the first files of a new folder                        naming    names for completion
"""
