"""What a case is, for the parents' side and for the staff's."""
