"""Several books side by side: a small ladder each, in one view."""
