"""The base as it is written: topics, their files, exchange with people."""
