"""Discharge records: reading, checking, columns, writing."""
