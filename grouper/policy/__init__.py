"""What an area decided, and when."""
