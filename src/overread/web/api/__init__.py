"""The JSON API: one file a concern; the rules of each route stand in ``routes``."""
