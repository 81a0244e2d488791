"""Images as vectors: encoders of one interface, joined, cached by content, streamed."""
