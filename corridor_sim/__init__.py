"""corridor_sim: freight on a border corridor, and what upgrades of its checkpoints do to it."""
