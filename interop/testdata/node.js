// A peer in Node.js: node node.js builtin|client|server|client2|server2. "builtin" is
// Node's own WebSocket, the others are those of the package ws, the last two over HTTP/2.
'use strict';
const readline = require('node:readline');
const makePeer = require('./peer.js');

const report = event => process.stdout.write(JSON.stringify(event) + '\n');
const role = process.argv[2];
const eager = {threshold: 0}; // compress every message, if it has been agreed on

const start = {
  builtin() {
    report({on: 'ready', version: `node ${process.version}`});
    return makePeer(globalThis.WebSocket, report);
  },
  client() {
    const ws = require('ws');
    const peer = extend(makePeer(ws, report));
    const {dial} = peer;
    peer.dial = command => {
      const options = {headers: command.headers, maxPayload: command.max, origin: command.origin, perMessageDeflate: command.deflate ?? eager};
      const s = watch(dial({...command, options}), command.n);
      s.onerror = () => {};
      let headers;
      s.on('upgrade', response => { headers = response.headers; });
      s.onopen = () => report({on: 'open', n: command.n, protocol: s.protocol, extensions: s.extensions, headers});
      s.on('unexpected-response', (request, response) => {
        let body = '';
        response.on('data', piece => { body += piece; });
        response.on('end', () => report({on: 'refused', n: command.n, status: response.statusCode, headers: response.headers, body}));
      });
    };
    report({on: 'ready', version: version()});
    return peer;
  },
  server() {
    const {WebSocketServer} = require('ws');
    const peer = extend(makePeer(null, report));
    const listen = (options, perMessageDeflate = eager) => new Promise(resolve => {
      const server = new WebSocketServer({
        port: 0, host: '127.0.0.1', perMessageDeflate, ...options,
        verifyClient: ({req}, answer) => {
          const ok = !req.url.startsWith('/refuse');
          answer(ok, 401, 'log in first', {'WWW-Authenticate': 'Basic realm="peer"'});
        },
        handleProtocols: offered => offered.has('swan.v1') && 'swan.v1',
      });
      server.on('headers', headers => headers.push('X-Peer: ws'));
      server.on('connection', (s, request) => {
        const n = Number(new URL(request.url, 'http://peer').searchParams.get('n'));
        watch(peer.attach(s, n), n);
        report({on: 'open', n, protocol: s.protocol, extensions: s.extensions, headers: request.headers});
      });
      server.on('listening', () => resolve(server.address().port));
    });
    peer.listen = ({n, deflate}) => listen({}, deflate).then(port => report({on: 'listening', n, port}));
    Promise.all([listen({}), listen({maxPayload: 1000})]).then(([port, small]) =>
      report({on: 'ready', version: version(), port, small}));
    return peer;
  },
  client2: () => require('./http2.js')(tools).client(),
  server2: () => require('./http2.js')(tools).server(),
};

const version = () => `ws ${require('ws/package.json').version} on node ${process.version}`;

// watch reports what browsers do not tell of.
function watch(s, n) {
  s.on('ping', data => report({on: 'ping', n, bytes: data.toString('base64')}));
  s.on('pong', data => report({on: 'pong', n, bytes: data.toString('base64')}));
  return s;
}

// extend adds what browsers cannot do.
function extend(peer) {
  peer.ping = ({bytes}) => peer.socket.ping(Buffer.from(bytes, 'base64'));
  peer.terminate = () => peer.socket.terminate();
  // fragments sends one text message in parts, with a Ping after each but the last.
  peer.fragments = ({parts}) => parts.forEach((part, i) => {
    const fin = i === parts.length - 1;
    peer.socket.send(part, {fin});
    if (!fin) peer.socket.ping(String(i));
  });
  // raw sends bytes that are no frame of the library's.
  peer.raw = ({bytes}) => peer.socket._socket.write(Buffer.from(bytes, 'base64'));
  return peer;
}

const tools = {report, watch, extend, eager, version};
const peer = start[role]();
readline.createInterface({input: process.stdin})
  .on('line', line => peer.do(JSON.parse(line)))
  .on('close', () => process.exit(0));
