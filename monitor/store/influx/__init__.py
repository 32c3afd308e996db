"""InfluxDB, for who has outgrown one machine: what is stored here goes there too, and can be read from there."""
