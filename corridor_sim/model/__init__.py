"""What exists: places, checkpoints, legs, flows, improvements, scenario. No files, no clock, no plots."""
