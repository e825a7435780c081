"""A server made of a recording: what was asked then is answered as it was then, and nothing is made up.

`tape` finds the recorded answer to a request (pure), `answering` gives it to a session in the client's own revision, `replay` is
what people hold.
"""
