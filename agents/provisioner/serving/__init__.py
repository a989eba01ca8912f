"""`berth serve`: ADK's own web UI and API for several people, behind a door that knows who they are and what they may send."""
