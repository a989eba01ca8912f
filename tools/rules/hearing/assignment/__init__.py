"""Assignment: what the words about one thing say of it; values go to the facts that they fit best."""
