"""Seeded sample data, so that every notebook and tutorial runs without a file of one's own."""
