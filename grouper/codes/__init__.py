"""Diagnosis and procedure codes of one edition."""
