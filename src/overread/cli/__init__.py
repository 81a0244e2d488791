"""The command line, one file a command; ``main`` registers them."""
