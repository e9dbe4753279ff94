"""The commands as plain functions: wiring and nothing else.

context    what one run knows: folder, environment, options       account   the client, real or simulated
planning   files + inventory + account -> PlanResult                 applying  an approved plan, performed
previewing the exact requests                                     validating  files alone
saved      plans on disk                                          commit    the commit that one is bound to
drifting   what others moved, and the way back                    accepting what they moved, into the YAML
importing  YAML for what others made, proven first                records   the inventory by hand
recovering creates that were left open                            going_back  versions, and the way to one
operating  one endpoint changed by hand                           leasing   other worker counts, for a time
declaring  worker counts, into the YAML                           rewriting files, edited as text
looking    what is there, all of it or one by name                watching  what happens to it
describing specs, and what Novita does not offer                  checking  all that can be wrong
listing    the whole account                                      proving   that an import changes nothing
starting   the first files of a new folder                        naming    names for completion
"""
