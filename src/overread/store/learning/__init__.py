"""What the learning loop keeps: encoders, cases asked for, pre-labels, auto-labels, audits."""
