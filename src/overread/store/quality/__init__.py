"""Onboarding, watching, adjudication, label rules, protocol changes, truthing reports."""
