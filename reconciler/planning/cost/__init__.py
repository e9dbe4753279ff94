"""The cost of a plan and of what runs: pure arithmetic with exact fractions."""
