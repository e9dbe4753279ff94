"""What Novita offers: checks of a plan, the list of products, and a specs.yaml made from it."""
