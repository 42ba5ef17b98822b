// The usual loop of a client under test, on the package ws: node autobahn.js URL AGENT.
'use strict';
const WebSocket = require('ws');
const [server, agent] = process.argv.slice(2);

// run lasts as long as a connection, and gives its last message.
const run = (path, onMessage) => new Promise(resolve => {
  const ws = new WebSocket(server + path);
  let last;
  ws.on('message', (data, isBinary) => {
    last = data;
    onMessage?.(ws, data, isBinary);
  });
  ws.on('error', e => console.error(`${path}: ${e.message}`)); // often what the case is about
  ws.on('close', () => resolve(last));
});

(async () => {
  const count = JSON.parse(await run('/getCaseCount'));
  for (let i = 1; i <= count; i++) {
    await run(`/runCase?case=${i}&agent=${agent}`, (ws, data, binary) => ws.send(data, {binary}));
  }
  await run(`/updateReports?agent=${agent}`);
})();
