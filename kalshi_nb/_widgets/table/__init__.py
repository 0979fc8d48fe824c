"""The last rows of any frame as a table: what it shows, of what, and how."""
