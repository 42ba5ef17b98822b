"""An echo over HTTP/2 on Hypercorn, in the clear. A text "close CODE REASON" ends it; the peer's end is reported."""

import asyncio
import json
import socket
from importlib.metadata import version

from hypercorn.asyncio import serve
from hypercorn.config import Config


def report(on, **event):
    print(json.dumps({"on": on, **event}), flush=True)


async def echo(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    if scope["path"] == "/refuse":
        await send({"type": "websocket.close"})
        return
    headers = [(b"x-http-version", scope["http_version"].encode())]
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][-1], "headers": headers})
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text is not None and text.startswith("close "):
            _, code, reason = text.split(" ", 2)
            await send({"type": "websocket.close", "code": int(code), "reason": reason})
            return
        await send({"type": "websocket.send", "text": text, "bytes": message.get("bytes")})
    report("close", n=int(scope["query_string"].partition(b"n=")[2]), code=message["code"])


listener = socket.create_server(("127.0.0.1", 0))
config = Config()
config.bind = [f"fd://{listener.fileno()}"]
report("ready", version=f"hypercorn {version('hypercorn')}", port=listener.getsockname()[1])
asyncio.run(serve(echo, config))
