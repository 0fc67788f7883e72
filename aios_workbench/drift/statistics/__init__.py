"""The figures of drift, each from counts of two columns (`tables`) or from samples; pure functions."""
