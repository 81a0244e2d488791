"""Results drawn for people: HTML, PDF, terminal text."""
