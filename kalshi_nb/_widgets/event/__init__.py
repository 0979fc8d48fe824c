"""The markets of one event beside each other: what is shown of them, who keeps them, and how it is written."""
