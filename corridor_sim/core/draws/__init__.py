"""Random values by index: value k of a stream is a function of its key and of k, and of nothing else.

`words` hashes key and index to 64 random bits, `variates` turns words into standard variates,
`elementary` holds the exponential and the logarithm they need. `scalar` has the same value by
value for compiled loops, bit for bit, and is imported only where numba is wanted.
"""
