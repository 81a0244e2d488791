"""The learning loop: latents, next cases, stop, auto-labels, review, audit, certificate."""
