"""The quality loop of a project: onboarding, gold, watching, adjudication, truthing."""
