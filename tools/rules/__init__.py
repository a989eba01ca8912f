"""The verbs that decide: pure functions from values to values. Nothing here touches the world."""
