"""A peer on the library websockets: peer.py client|server."""

import asyncio
import base64
import json
import sys
from http import HTTPStatus

import websockets
from websockets.extensions import permessage_deflate
from websockets.exceptions import InvalidStatusCode, WebSocketException
from websockets.version import version

QUIET = {"ping_interval": None, "close_timeout": 5}
MAX_COMMAND = 64 << 20

socket = None


def report(on, **event):
    print(json.dumps({"on": on, **event}), flush=True)


def encode(data):
    return base64.b64encode(data).decode()


async def attend(ws, n):
    """Takes a connection under command and reports what comes in on it."""
    global socket
    socket = ws, n
    try:
        async for message in ws:
            if isinstance(message, str):
                report("message", n=n, text=message)
            else:
                report("message", n=n, bytes=encode(message))
    except WebSocketException:
        pass  # ws knows why
    await ws.wait_closed()
    clean = ws.close_rcvd is not None and ws.close_sent is not None
    report("close", n=n, code=ws.close_code, reason=ws.close_reason, clean=clean)


async def dial(n, url, protocols=None, headers=None, origin=None, max=None, deflate=None):
    try:
        ws = await websockets.connect(
            url, subprotocols=protocols, extra_headers=headers, origin=origin, max_size=max or 1 << 20,
            **compression(permessage_deflate.ClientPerMessageDeflateFactory, deflate), **QUIET
        )
    except InvalidStatusCode as e:
        report("refused", n=n, status=e.status_code, headers=lower(e.headers))
        return
    report("open", n=n, protocol=ws.subprotocol or "", extensions=names(ws), headers=lower(ws.response_headers))
    await attend(ws, n)


def compression(factory, deflate):
    # Without settings it is the library's default.
    return {} if deflate is None else {"compression": None, "extensions": [factory(**deflate)]}


def names(ws):
    return ", ".join(e.name for e in ws.extensions)


def lower(headers):
    return {name.lower(): value for name, value in headers.raw_items()}


async def serve():
    async def accept(ws):
        n = int(ws.path.partition("n=")[2])
        report("open", n=n, protocol=ws.subprotocol or "", extensions=names(ws), headers=lower(ws.request_headers))
        await attend(ws, n)

    async def refuse(path, headers):
        if path.startswith("/refuse"):
            return HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="peer"'}, b"log in first"

    async def start(deflate=None, **options):
        server = await websockets.serve(
            accept, "127.0.0.1", 0, subprotocols=["swan.v1"], process_request=refuse,
            extra_headers={"X-Peer": "websockets"},
            **compression(permessage_deflate.ServerPerMessageDeflateFactory, deflate), **options, **QUIET
        )
        return server.sockets[0].getsockname()[1]

    async def listen(n, deflate):
        report("listening", n=n, port=await start(deflate))

    COMMANDS["listen"] = listen
    report("ready", version=VERSION, port=await start(), small=await start(max_size=1000))


async def send(text=None, bytes=None):
    await socket[0].send(text if bytes is None else base64.b64decode(bytes))


async def close(code=None, reason=""):
    if code is None:  # which the library has no call for
        await socket[0].write_close_frame(websockets.frames.Close(1005, ""), b"")
    else:
        await socket[0].close(code, reason)


async def ping(bytes):
    ws, n = socket
    data = base64.b64decode(bytes)
    latency = await (await ws.ping(data))
    report("pong", n=n, bytes=encode(data), latency=latency)


async def fragments(parts):
    """Sends one text message in parts, with a Ping after each but the last."""
    ws, n = socket

    async def pieces():
        for i, part in enumerate(parts):
            yield part
            if i < len(parts) - 1:
                data = str(i).encode()
                await (await ws.ping(data))
                report("pong", n=n, bytes=encode(data))

    await ws.send(pieces())


async def terminate():
    socket[0].transport.abort()


async def raw(bytes):
    """Sends bytes that are no frame of the library's."""
    socket[0].transport.write(base64.b64decode(bytes))


COMMANDS = {f.__name__: f for f in (dial, send, close, ping, fragments, terminate, raw)}
VERSION = f"websockets {version} on Python {sys.version.split()[0]}"


async def main(role):
    if role == "server":
        await serve()
    else:
        report("ready", version=VERSION)
    lines = asyncio.StreamReader(limit=MAX_COMMAND)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    side = set()  # what waits for others
    while line := await lines.readline():
        command = json.loads(line)
        call = COMMANDS[command.pop("do")](**command)
        # These wait for the other end, and the rest is quick: in order.
        if call.__name__ in ("dial", "close", "ping", "fragments"):
            side.add(asyncio.create_task(call))
        else:
            await call


asyncio.run(main(sys.argv[1]))
