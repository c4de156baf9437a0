"""What a group is worth: weight tables, their lookup and estimation."""
