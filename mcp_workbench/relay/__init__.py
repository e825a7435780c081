"""Two channels joined: the bridge is a relay with a memory, so that a host's server stays while kernels come and go.

Pure are `envelope` (a cheap look at a text), `memory` (what must be known to begin anew), `standin` (who answers while
no kernel does), `resuming` (beginning anew with a kernel), `questions` (whose answer is whose), `announcing` (what
changed), `known` and `explaining` (what became of names after a restart), `relay` (all of them together: texts in, texts
out), `choosing` (which kernel), `own_tools` (what is always listed), `answers` and `sentences` (what is said).
`bridge` drives them: stdio, WebSocket, discovery, clock.
"""
