"""The packaged corridor and the conformance vectors, every figure with its source."""
