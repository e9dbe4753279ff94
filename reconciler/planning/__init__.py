"""The verbs of planning, all pure: desired x tracked x live -> Plan.

planner     the table of cases            join       who is who, by ID and by name
diff        two trees -> what differs     drift      what others moved since the last apply
attribute   who moved a field             conceal    which live values may be shown
guard       what must not pass unasked    limits     the account's quotas against the plan
order       what goes first               requests   a change -> the calls that it takes
selection   --target and --exclude        digest     the fingerprint that consent is given to
intents     creates whose answer was lost
"""
