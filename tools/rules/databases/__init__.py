"""What every PostgreSQL database has in common, wherever it stands and however many machines it is on."""
