"""The conversation on the screen: transcript, composer, tool panel and source view, joined by one controller.

UI thread only. ``controller`` knows the services, the views know only values. Other features of the window do not
import this one; ``ui.shell`` joins them.
"""
