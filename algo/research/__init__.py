"""What is found out by running a strategy more than once."""
