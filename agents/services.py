"""ADK loads this file, by its name, before `adk web` and `adk api_server` make anything."""

from provisioner.hosting import settle  # as ADK itself finds the app: beside this file

settle()
