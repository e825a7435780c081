"""The tap: between a client and a server of other people, to see what they say, and to disturb it where one wants to.

Texts are passed on as they are and written down like our own traffic (`traffic.overhearing`). `tap` is what people hold,
`pump` joins two channels, `http` passes HTTP requests on, `hooks` may change what passes. Each tap has a loop and a thread of
its own: hooks are user code, which never runs on the server's loop.
"""
