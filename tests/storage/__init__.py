"""Promises of the database."""
