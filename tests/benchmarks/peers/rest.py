"""REST at its best: FastAPI on uvicorn, uvloop and httptools, a model for the body, an async endpoint."""

from __future__ import annotations

import sys

from announce import serve
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Numbers(BaseModel):
    a: int
    b: int


class Sum(BaseModel):
    result: int


@app.post("/add")
async def add(numbers: Numbers) -> Sum:
    return Sum(result=numbers.a + numbers.b)


if __name__ == "__main__":
    tls = sys.argv[1:]  # certificate and key
    serve(
        app,
        "rest",
        ["fastapi", "uvicorn", "uvloop", "httptools"],
        {"kind": "http", "path": "/add", "body": '{"a":17,"b":25}', "expect": '"result":42', "tls": bool(tls)},
        **({"ssl_certfile": tls[0], "ssl_keyfile": tls[1]} if tls else {}),
    )
