"""The endpoint kind.

kind         the endpoint as a `kinds.base.Kind`, which the registry knows
fields       the table of its fields: start here for a new one
from_yaml    YAML item -> normal form
to_yaml      normal form -> YAML item, for an import
yaml_edits   edits that make the YAML say what is live, for `drift accept`
codec        normal form <-> wire
status       readiness, and what status commands show
quotas       the account's limits
secrets      credentials in start commands
import_draft the YAML of an import
"""
