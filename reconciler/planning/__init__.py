"""The verbs of planning, all pure: desired x tracked x live -> Plan.

planner     the table of cases            join       who is who, by ID and by name
diff        two trees -> what differs     drift      what others moved since the last apply
attribute   who moved a field             conceal    which live values may be shown
guard       what must not pass unasked    limits     the account's quotas against the plan
order       what goes first               requests   a change -> the writes that it takes
selection   --target and --exclude        digest     the fingerprint that consent is given to
intents     creates whose answer was lost replacing  --create-first
alarm       which drift rings             restoring  what `drift revert` wants
rules       the row behind a change       calls      every call that a change takes, and what for
explaining  why, which rule, which calls  adopting   a record of what others made
drafting    live -> YAML for an import    naming     the variables that its secrets are read from
"""
