"""The pages of the documentation, read and typed as a user does."""
