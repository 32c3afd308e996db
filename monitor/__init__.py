"""The daemon: asks through probes, decides, and tells through alerting."""
