"""The hosts inside: the IPython extension and its magics.

`%load_ext mcp_workbench` finds `load_ipython_extension` through the package's lazy names. What a magic does,
a function of the package does as well; magics only say it in one line and show it as text.
"""
