"""The depth of one book: both sides added up from the touch outwards, as a chart and in words."""
