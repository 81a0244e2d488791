"""Read tables to figures: agreement, consensus, comparison, rules, plans, reports. No store."""
