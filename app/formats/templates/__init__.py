"""Chat templates: rendering a stranger's Jinja within a budget, in the form that each template was written for.

Pure: no engine, no store, no thread of its own; a template may be used from several threads.
"""
