"""What to read next, when to stop, and what may be certified of labels that nobody read."""
