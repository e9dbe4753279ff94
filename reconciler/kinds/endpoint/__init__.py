"""The endpoint kind: how one is declared, compared, asked for and read.

mapping   YAML item -> normal form         paths   YAML names -> wire paths, and which of them force what
codec     normal form <-> wire             ownership   which fields count in a comparison
kind      the requests and parsers behind `kinds.base.Kind`
readiness whether it serves                          status  what people see of it
"""
