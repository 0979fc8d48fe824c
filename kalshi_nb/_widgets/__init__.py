"""Views over what they are handed, one room a widget, and the one thread that sends their updates.

In a room, ``presenter`` reads what is kept and makes pictures of it, ``picture`` says what is in one, ``text``
writes it as plain text or static HTML, and ``view`` makes the live widget of it. Only ``view`` imports anywidget;
``display`` is the thread. Import the modules by name: the package itself imports none of them, so that a program
which never shows a widget never pays for one.
"""
