"""Reads a device's images. The entry point is local_data.load."""
