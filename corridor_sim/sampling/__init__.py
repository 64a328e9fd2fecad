"""Plan + seed -> sampled inputs; alone draws at random. `sampler.py` is the way in."""
