"""The wiring from a scenario to answers: runs, comparisons, sweeps, attribution, stored batches."""
