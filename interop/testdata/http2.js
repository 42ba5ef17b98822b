// The package ws over HTTP/2 (RFC 8441). It speaks HTTP/1.1 alone: the handshake is
// done here, with Node's own HTTP/2, and ws is given the stream. See node.js.
'use strict';
const http2 = require('node:http2');
const {WebSocket, PerMessageDeflate, extension, subprotocol} = require('ws');
const makePeer = require('./peer.js');

const deflateName = PerMessageDeflate.extensionName;

const deflateIn = header => header === undefined ? undefined : extension.parse(header)[deflateName];

// found gives the header as ws would. The status is a number.
const found = headers => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

module.exports = ({report, watch, extend, eager, version}) => {
  // take puts a stream under command, with what has been agreed on.
  const take = (peer, stream, n, {isServer, protocol, deflate, maxPayload, headers}) => {
    const s = new WebSocket(null, undefined, {autoPong: true, closeTimeout: 5000});
    Object.assign(s, {_isServer: isServer, _protocol: protocol ?? ''});
    if (deflate) s._extensions[deflateName] = deflate;
    watch(peer.attach(s, n), n);
    peer.n = n;
    s.setSocket(stream, Buffer.alloc(0), {allowSynchronousEvents: true, maxPayload});
    report({on: 'open', n, protocol: s.protocol, extensions: s.extensions, headers: found(headers)});
  };

  const make = () => {
    const peer = extend(makePeer(null, report));
    peer.end = () => peer.socket._socket.end();
    peer.reset = () => report({on: 'reset', n: peer.n, code: peer.socket._socket.rstCode});
    return peer;
  };

  const client = () => {
    const peer = make();
    const sessions = {}; // one TCP connection to each server
    const connect = server => sessions[server] ??= new Promise(resolve => {
      const session = http2.connect(server, {rejectUnauthorized: false});
      session.on('error', () => {}); // its streams tell more
      session.on('close', () => { delete sessions[server]; });
      session.once('remoteSettings', ({enableConnectProtocol}) => {
        if (!enableConnectProtocol) throw new Error(`${server} does not take WebSocket over HTTP/2`);
        resolve(session);
      });
    });
    peer.dial = async ({n, url, protocols, headers, origin, max, deflate: settings}) => {
      const {host, pathname, search, origin: server} = new URL(url.replace(/^ws/, 'http'));
      const deflate = new PerMessageDeflate({...settings ?? eager, isServer: false, maxPayload: max});
      const stream = (await connect(server)).request({
        ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':authority': host, ':path': pathname + search,
        'sec-websocket-version': '13',
        'sec-websocket-extensions': extension.format({[deflateName]: deflate.offer()}),
        ...protocols && {'sec-websocket-protocol': protocols.join(', ')},
        ...origin && {origin},
        ...headers,
      });
      stream.on('error', () => {});
      stream.on('response', headers => {
        if (headers[':status'] !== 200) {
          let body = '';
          stream.on('data', piece => { body += piece; });
          stream.on('end', () => report({on: 'refused', n, status: headers[':status'], headers: found(headers), body}));
          return;
        }
        const agreed = deflateIn(headers['sec-websocket-extensions']);
        if (agreed) deflate.accept(agreed);
        take(peer, stream, n, {
          isServer: false, protocol: headers['sec-websocket-protocol'], deflate: agreed && deflate, maxPayload: max, headers,
        });
      });
    };
    report({on: 'ready', version: version()});
    return peer;
  };

  const server = () => {
    const peer = make();
    const answer = (stream, headers, maxPayload) => {
      stream.on('error', () => {});
      const url = new URL(headers[':path'], 'http://peer');
      if (headers[':method'] !== 'CONNECT' || headers[':protocol'] !== 'websocket' || url.pathname === '/refuse') {
        stream.respond({':status': 401, 'www-authenticate': 'Basic realm="peer"'});
        stream.end('log in first');
        return;
      }
      const response = {':status': 200, 'x-peer': 'ws'};
      const offered = headers['sec-websocket-protocol'];
      const protocol = offered && subprotocol.parse(offered).has('swan.v1') ? 'swan.v1' : undefined;
      if (protocol) response['sec-websocket-protocol'] = protocol;
      const offers = deflateIn(headers['sec-websocket-extensions']);
      let deflate;
      if (offers) {
        deflate = new PerMessageDeflate({...eager, isServer: true, maxPayload});
        deflate.accept(offers);
        response['sec-websocket-extensions'] = extension.format({[deflateName]: [deflate.params]});
      }
      stream.respond(response);
      take(peer, stream, Number(url.searchParams.get('n')), {isServer: true, protocol, deflate, maxPayload, headers});
    };
    const listen = maxPayload => new Promise(resolve => {
      const server = http2.createServer({settings: {enableConnectProtocol: true}});
      server.on('stream', (stream, headers) => answer(stream, headers, maxPayload));
      server.listen(0, '127.0.0.1', () => resolve(server.address().port));
    });
    Promise.all([listen(), listen(1000)]).then(([port, small]) => report({on: 'ready', version: version(), port, small}));
    return peer;
  };

  return {client, server};
};
