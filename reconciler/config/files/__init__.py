"""Discovery of endpoint files, and `.env` files."""
