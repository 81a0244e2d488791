"""What each event does to the state tables: the only place that writes them."""
