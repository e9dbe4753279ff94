"""The commands as functions, without parsing of options and without output.

plan          compare files, inventory and account      apply         perform an approved plan
preview       the exact requests of a plan              saved_plan/   plan files
drift         changes made elsewhere, and their revert  drift_accept  write live values into the YAML
imperative    deploy, update, scale, delete             lease         scale for a limited time
scale_yaml    scale --write                             rollback      history and rollback
endpoints     list, get, status                         watch         events of endpoints
state         the records of the inventory              recover       creates of unknown outcome
importer/     import                                    doctor/       checks
specs         GPU specs                                 init          starter files
completion    names for shell completion                runtime/      shared by the commands
"""
