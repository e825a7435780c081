"""The hosts inside: the IPython extension, cell events, what is known of the ipykernel around us."""
