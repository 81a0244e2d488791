"""The learning loop of a project: latents, next cases, stop, auto-labels, review, audit, certificate."""
