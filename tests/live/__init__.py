"""A real server process, its readers over HTTP, and a real PostgreSQL: for tests and benchmarks.

Both import it as ``tests.live``; what is measured in full in ``benchmarks/`` runs small in tests.
"""
