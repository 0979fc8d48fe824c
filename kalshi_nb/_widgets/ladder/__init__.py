"""The ladder of one market: what it shows, who makes that of a kept book, and how it is shown."""
