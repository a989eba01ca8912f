"""From facts to typed needs, each with its unit and where it came from."""
