"""The network storage kind: `storages:` in the YAML.

kind       the storage as a `kinds.base.Kind`, which the registry knows
fields     the table of its fields
from_yaml  YAML item -> normal form
codec      wire -> normal form
refusals   changes that would lose data, and the storage that is gone
to_yaml    YAML of an import and of `drift accept`
"""
