"""The usual loop of a client under test, on the library websockets: autobahn.py URL AGENT."""

import asyncio
import json
import sys

import websockets


async def main(server, agent):
    async with websockets.connect(f"{server}/getCaseCount") as ws:
        count = json.loads(await ws.recv())
    for case in range(1, count + 1):
        try:
            async with websockets.connect(f"{server}/runCase?case={case}&agent={agent}", max_size=None, close_timeout=1) as ws:
                async for message in ws:
                    await ws.send(message)
        except Exception as e:  # often what the case is about
            print(f"case {case}: {e!r}", file=sys.stderr)
    async with websockets.connect(f"{server}/updateReports?agent={agent}") as ws:
        await ws.wait_closed()


asyncio.run(main(*sys.argv[1:]))
