"""The simulated world: what speaks Proxmox's and Azure's own APIs at a URL.

It imports nothing of the product, and the product nothing of it.
"""
