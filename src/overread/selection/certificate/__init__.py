"""What may be said of labels that nobody read: frozen labels, a blind audit, exact bounds."""
