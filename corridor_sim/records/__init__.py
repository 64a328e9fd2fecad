"""What goes into an engine (`inputs.py`) and what comes out of it (`visits.py`)."""
