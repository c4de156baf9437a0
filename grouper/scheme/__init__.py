"""The rules of one grouping version, as data."""
