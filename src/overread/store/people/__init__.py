"""Who they are: accounts, one-time links, sessions, profiles, what a person may see."""
