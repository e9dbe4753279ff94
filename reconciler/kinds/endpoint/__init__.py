"""The endpoint kind: how one is declared, compared, asked for and read.

mapping   YAML item -> normal form         paths   YAML names -> wire paths, and which of them force what
codec     normal form <-> wire             ownership   which fields count in a comparison
kind      the requests and parsers behind `kinds.base.Kind`
declaring normal form -> YAML item         accepting   what to write so that the YAML says what is live
readiness whether it serves                          status  what people see of it
changing  some fields alone                surplus   which workers are too many
"""
