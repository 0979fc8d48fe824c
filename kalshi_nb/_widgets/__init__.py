"""Views over what they are handed, and the one thread that sends their updates.

``picture`` says what a view is handed; ``text`` writes it as plain text or static HTML and imports nothing
heavy; ``ladder`` makes the live widget and imports anywidget; ``display`` is the thread. Import the modules by
name: the package itself imports none of them, so that a program which never shows a widget never pays for one.
"""
