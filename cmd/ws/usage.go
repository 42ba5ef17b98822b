package main

const usage = `ws is a WebSocket server to try clients on, and a client to try servers with.

  ws serve              serve an echo, a chat room and a page to play with
  ws connect URL        send lines as messages, print the messages that come
  ws autobahn MODE      test servers and clients: do they keep to the RFC?
  ws help [COMMAND]     say more
  ws version            say which ws this is

For a first look, run "ws serve" and open the address it prints in a browser;
or talk to it from a second terminal with "ws connect ws://localhost:8080/echo".

Exit codes: 0 all well; 1 wrong usage, or trouble with a file, stdin or stdout;
2 no connection (network, TLS, address in use); 3 the server refused the
handshake; 4 the connection did not end well. ws autobahn has its own.
`

const serveUsage = `Usage: ws serve [flags]

Serves until Ctrl-C or SIGTERM, then says goodbye to everyone (1001).

  /       a page to play with in a browser
  /echo   every message comes back
  /chat   a room: every message goes to everyone in it. Texts get the guest's
          name in front and may have 64 KiB; who is too slow is put out

The first line on stdout names the addresses. Both endpoints speak the
subprotocols echo.v1 and chat.v1: the first that the client asks for is taken.

  -addr HOST:PORT      where to listen; port 0 takes a free one, and without a
                       HOST all the machine's addresses are listened on
                       (default localhost:8080)
  -cert FILE           TLS certificate (PEM), read again when it changes; with
                       -key, serves https and wss
  -compress on|off|takeover
                       compress messages (permessage-deflate) with clients that
                       want to. on: each for itself. takeover: with those
                       before it in mind, which costs memory (default on)
  -key FILE            its private key (PEM)
  -max-message BYTES   the longest message taken, -1 for no limit
                       (default 1048576)
  -origin PATTERN      let pages of this site connect too, for example
                       https://app.example.com, *.example.com or localhost:*;
                       may be given again (default: only the page served here)
  -ping DURATION       how often to ping every client, 0 for never (default 30s)
  -v                   log every connection opened and closed
`

const connectUsage = `Usage: ws connect [flags] URL

Connects to a ws:// or wss:// URL. Every line of stdin is sent as a text
message. Every text message that comes is printed as a line on stdout, and every
binary one as binary:HEX. All else that is to be said goes to stderr.

  -b                   send lines as binary messages
  -ca FILE             trust the certificates (PEM) in FILE, not the system's
  -compress on|off|takeover
                       offer to compress messages (permessage-deflate). on:
                       each for itself. takeover: with those before it in mind
                       (default on)
  -eof wait|close      what to do at the end of stdin. wait: go on printing
                       until the server closes. close: when the server has seen
                       all that was sent, print what it has answered by then,
                       and leave. (default: close in a terminal, else wait)
  -H 'NAME: VALUE'     send this header too; may be given again
  -k                   do not check the server's certificate. For tests only
  -max-message BYTES   the longest message taken, -1 for no limit
                       (default 1048576)
  -n N                 leave after N messages have come
  -o ORIGIN            say that the page at this origin connects, as browsers do
  -ping DURATION       measure the round trip so often, for example 2s
  -proxy URL           connect through http://, https:// or socks5://HOST:PORT
                       (default: HTTP_PROXY, HTTPS_PROXY and NO_PROXY)
  -s PROTOCOL          offer this subprotocol; may be given again, best first

Ctrl-C closes the connection in order (1000); a second one does not wait for it.

Exit codes: 0 closed in order (1000, 1001 or without a code); 1 wrong usage, or
trouble with stdin or stdout; 2 no connection; 3 the server refused the
handshake; 4 closed with any other code, or lost.

  echo hello | ws connect -n 1 ws://localhost:8080/echo
  ws connect -s chat.v1 -H 'Authorization: Bearer abc' wss://example.com/chat
`
