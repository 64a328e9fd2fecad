"""Records to values with a unit. To add an indicator, register one reducer in the fitting file."""
