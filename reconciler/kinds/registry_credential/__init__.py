"""The registry credential kind: `registries:` in the YAML.

kind       the credential as a `kinds.base.Kind`, which the registry of kinds knows
fields     the table of its fields
from_yaml  YAML item -> normal form
codec      wire -> normal form, with passwords as secrets
to_yaml    YAML of an import and of `drift accept`
"""
