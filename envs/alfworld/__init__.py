"""The ALFWorld text world, native."""
