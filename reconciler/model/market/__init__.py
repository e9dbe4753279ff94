"""What Novita offers, and what it costs: products, prices, the balance, and the cost of endpoints."""
