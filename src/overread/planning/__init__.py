"""Who reads what: sample sizes, cost, batches and overlap, when to stop asking for reads."""
