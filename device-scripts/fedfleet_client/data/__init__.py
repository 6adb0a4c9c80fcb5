"""Reading a device's pictures. The door is local_data.load."""
