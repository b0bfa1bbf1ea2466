"""The deeds of the helpdesk, without messengers."""
