"""Pure rules: from declarations, records and live endpoints to a plan.

`matching` puts the three sides of an endpoint together and redacts them, `comparison` compares them, and
`planner` decides. Everything else reads the plan.
"""
