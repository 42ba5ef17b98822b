// One end of a WebSocket that takes commands and reports events, by the interface
// that browsers have. Pages load it, node.js requires it.
'use strict';

function makePeer(WebSocket, report) {
  let socket;

  const toBase64 = buffer => {
    let s = '';
    for (const b of new Uint8Array(buffer)) s += String.fromCharCode(b);
    return btoa(s);
  };
  const fromBase64 = s => Uint8Array.from(atob(s), c => c.charCodeAt(0));

  const peer = {
    // attach takes a socket, number n, under command.
    attach(s, n) {
      socket = s;
      s.binaryType = 'arraybuffer';
      s.onmessage = ({data}) =>
        report(typeof data === 'string' ? {on: 'message', n, text: data} : {on: 'message', n, bytes: toBase64(data)});
      s.onerror = () => {};
      s.onclose = e => report({on: 'close', n, code: e.code, reason: e.reason, clean: e.wasClean});
      return s;
    },
    dial({n, url, protocols, options}) {
      const s = peer.attach(new WebSocket(url, protocols ?? [], options), n);
      let open = false;
      s.onopen = () => { open = true; report({on: 'open', n, protocol: s.protocol, extensions: s.extensions}); };
      s.onerror = () => open || report({on: 'error', n}); // later on, onclose tells more
      return s;
    },
    send({text, bytes}) { socket.send(bytes === undefined ? text : fromBase64(bytes)); },
    close({code, reason}) { code ? socket.close(code, reason) : socket.close(); },
    fromBase64,
    do(command) { peer[command.do](command); },
    get socket() { return socket; },
  };
  return peer;
}

if (typeof module !== 'undefined') module.exports = makePeer;
