"""What a run hands to its user: results, and comparisons of them."""
