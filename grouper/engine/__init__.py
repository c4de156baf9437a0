"""Which group a discharge belongs to: the reference and the kernel."""
