"""What an account has beside endpoints, and what the provider offers."""
