"""The files' edge: TOML text, overlays, packaged data. `scenario_files` puts the pieces together."""
