"""Ask questions of targets. Imports nothing of alerting or monitor; usable alone."""
