"""Handlers of a shop that the page's tests look at: one for each kind of requirements."""
