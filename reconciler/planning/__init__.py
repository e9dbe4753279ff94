"""The verbs of planning, all pure: desired x tracked x live -> Plan.

planner     the table of cases            diff       two trees -> the paths that differ
attribute   who moved a field             conceal    which live values may be shown
guard       what must not pass unasked    limits     the account's quotas against the plan
order       what goes first               requests   a change -> the calls that it takes
selection   --target and --exclude        digest     the fingerprint that consent is given to
intents     creates whose answer was lost
"""
