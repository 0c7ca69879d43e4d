"""The working calendar and its changes."""
