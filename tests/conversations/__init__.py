"""Whole conversations through real doors."""
