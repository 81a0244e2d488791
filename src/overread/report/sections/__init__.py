"""The sections of a report: each turns its part of the content into blocks."""
