"""What was learned about models on this machine: the plan each one took, the fastest placement, saved states.

Files in the cache folder; losing one costs time and nothing else. Any thread.
"""
