"""How well it works, and how its numbers are chosen."""
