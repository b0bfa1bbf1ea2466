"""What parents hear, and who answers them."""
