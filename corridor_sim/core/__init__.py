"""What everything rests on: errors, units, random streams, registries, step functions, fingerprints."""
