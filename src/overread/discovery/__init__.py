"""Regions likely to hold objects, from unlabelled images alone."""
