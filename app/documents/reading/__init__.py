"""From a file to passages: readers by format, cutting, and the child process that does it."""
