"""One's own positions, orders and fills: what is shown, who makes that of a feed's frames, and how it is shown."""
