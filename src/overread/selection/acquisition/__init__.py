"""Acquisition functions: which cases to read next. One table, ``table.ACQUISITIONS``."""
