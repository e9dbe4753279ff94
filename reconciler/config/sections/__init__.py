"""The sections of config.yaml that have rules of their own: the budget, expected drift, the policy."""
