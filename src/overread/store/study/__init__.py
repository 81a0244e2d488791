"""Projects, their cases, how far they are, and their reads as columns."""
