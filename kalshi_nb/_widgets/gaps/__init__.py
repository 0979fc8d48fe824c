"""Where data is missing: a strip of the last hour, and a table of the newest gaps."""
