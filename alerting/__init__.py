"""Tell the right people, once, with the runbook. Imports nothing of probes or monitor; usable alone."""
