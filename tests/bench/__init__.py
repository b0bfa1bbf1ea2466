"""Measurements, run by hand; their figures are in docs/measurements.md."""
