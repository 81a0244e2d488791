"""Networks trained on the project's own images: the only room that imports torch."""
