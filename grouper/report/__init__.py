"""Pages and workbooks that people read."""
