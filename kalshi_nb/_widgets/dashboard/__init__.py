"""Several views of one market in one: which there are, what travels, and what a person can choose above them."""
