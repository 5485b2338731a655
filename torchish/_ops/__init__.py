"""The tables: every operation declared once, by family. `declare` has the helpers, `variants` makes the public forms."""
