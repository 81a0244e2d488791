"""Reads in the order of their cases, and cases that were read alike."""
