"""Placeholder so the package installs."""
