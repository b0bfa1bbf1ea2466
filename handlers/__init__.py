"""What the helpdesk does: one file for each deed."""
