"""The ADK app. It is loaded before the first prompt shows, so it loads little, and the collector has nothing to find among modules that
stay."""

import gc

gc.disable()
try:
    from . import agent as agent
finally:
    gc.enable()
