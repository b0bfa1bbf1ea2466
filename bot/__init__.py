"""The doors: channels, HTTP, command line, timers, processes."""
