"""`python -m docs.generate`: write every generated page."""

from docs.generate.pages import write_all

write_all()
