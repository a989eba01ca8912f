"""The imperative shell: it touches the world through tools.clients and leaves every decision to tools.rules."""
