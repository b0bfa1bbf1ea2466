"""Changes of the tables, in order."""

NEWEST = "0005"
"""The revision that this version needs; written here so that a start need not load Alembic to know it."""
