"""Medical-image labels of known, certified quality with the least reading time."""
