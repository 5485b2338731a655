"""The engine: record, evaluate, differentiate. It knows JAX and the Op record, and no operation by name."""
