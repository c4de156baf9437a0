"""Many rows."""
