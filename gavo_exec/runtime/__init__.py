"""Decides what is due and runs it; never sees XML, mail or SQL."""
