"""What the daemon has to do with the world outside: one room for each outside thing, none knows another."""
