"""What a reviewer of a plan wants to know: its effect on what runs, and whether it can succeed."""
