"""From a message to requirements: what the message is, what it says, and what is still missing."""
