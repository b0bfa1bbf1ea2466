"""Everything that outlives the process; the only room that speaks SQL."""
