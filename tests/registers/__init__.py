"""Servers on loopback that a site keeps registers with: a real name server, and a small NetBox."""
