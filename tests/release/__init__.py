"""What a release is made of: the distributions, the image, and the workflow that publishes them."""
