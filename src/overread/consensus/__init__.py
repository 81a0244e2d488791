"""What the truth most likely is, and how reliable each reader."""
