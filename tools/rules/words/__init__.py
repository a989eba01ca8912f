"""What is said: the conversation, what is told, and guides."""
