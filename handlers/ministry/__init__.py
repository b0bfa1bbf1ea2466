"""What the ministry teaches, declares and sees."""
