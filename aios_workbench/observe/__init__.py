"""What stored runs tell: where the time went, what differs, what came from what, how it went over the weeks."""
