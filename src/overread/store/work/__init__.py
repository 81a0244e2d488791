"""Who reads what: plans, tasks and their queue, drafts, reads, reads on demand."""
