"""A Google Cloud project as its APIs show it: what smoke, provision and doctor ask and tell."""
