"""Deterministic functions (Plan, SampledInputs) -> Records: event (SimPy), batch (NumPy), queues (kernels)."""
