package main

const autobahnUsage = `Usage: ws autobahn MODE [flags]

Tests WebSocket servers and clients, with the 517 cases of the Autobahn test
suite and hundreds more. The tested peer is an echo: every message comes back.

  ws autobahn fuzzingclient    test a server
  ws autobahn fuzzingserver    test clients
  ws autobahn testeeserver     be a server to test
  ws autobahn testeeclient     be a client to test
  ws help autobahn MODE        say more

  ws autobahn fuzzingclient -url ws://localhost:8080/echo -outdir report

Exit codes: 0 no case failed; 1 a case failed, or not all ran; 2 wrong usage,
trouble with a file, or nobody to test.
`

// What both fuzzers say of their flags.
const (
	addUsage = `  -add FILE            run the cases in FILE too; may be given again. How to
                       write them: autobahn/cases/README.md
`
	casesUsage = `  -cases PATTERNS      run these cases only: ids and sections such as
                       '1.*,6.4.*,7.1.1'; may be given again (default: all)
  -exclude PATTERNS    but not these; may be given again
`
	resultUsage = `  -json                print each result as a line of JSON on stdout, and the
                       table on stderr
  -junit FILE          write the results as JUnit XML too
  -largest BYTES       cut the messages of sections 9, 12 and 13 to so many
  -patience N          wait N times as long for the peer, on a busy machine (1)
                       bytes, for slow links (default: as the original)
  -messages N          send so many messages in each series of sections 9.7,
                       9.8, 12 and 13 (default 1000, as the original)
`
	outDirUsage = `  -outdir DIR          write a report: index.html to read, and the original's
                       index.json with a JSON file for each case. What DIR has
                       of other agents stays in the report
  -parallel N          run so many cases at once (default: a number that suits
                       the machine)
`
)

const fuzzingClientUsage = `Usage: ws autobahn fuzzingclient -url URL [flags]

Tests the server at URL, which must echo: every message comes back. Prints a
table of verdicts, and of each case that failed why it did.

` + addUsage + `  -agent NAME          what the server is called in the report (default:
                       what its Server header says, or UnknownServer)
` + casesUsage + `  -H 'NAME: VALUE'     send this header too; may be given again
  -insecure            do not check the server's certificate. For tests only
` + resultUsage + `  -o ORIGIN            say that the page at this origin connects
` + outDirUsage + `  -s PROTOCOL          offer this subprotocol; may be given again
  -spec FILE           a spec of the original suite: servers, outdir, cases,
                       exclude-cases and exclude-agent-cases. What is also given
                       as a flag is taken from there
  -url URL             the server's ws:// or wss:// URL

Ctrl-C stops, and reports on what ran.

  ws autobahn fuzzingclient -url ws://localhost:8080/echo -cases '6.*'
  ws autobahn fuzzingclient -spec fuzzingclient.json
`

const fuzzingServerUsage = `Usage: ws autobahn fuzzingserver [flags]

Tests clients until Ctrl-C, then reports on them. A client gets the number of
cases as a message from /getCaseCount, runs each by connecting to
/runCase?case=1&agent=NAME, /runCase?case=2&agent=NAME ... and sending every
message back until the connection ends, and at last connects to
/updateReports?agent=NAME.

` + addUsage + `  -addr HOST:PORT      where to listen; port 0 takes a free one
                       (default localhost:9001)
` + casesUsage + resultUsage + outDirUsage + `  -spec FILE           a spec of the original suite: url, outdir, cases,
                       exclude-cases, exclude-agent-cases and protocols. What is
                       also given as a flag is taken from there

  ws autobahn fuzzingserver -outdir report
  ws autobahn testeeclient -url ws://localhost:9001
`

const testeeServerUsage = `Usage: ws autobahn testeeserver [flags]

Is a server to be tested: it sends every message back, until Ctrl-C.

  -addr HOST:PORT      where to listen; port 0 takes a free one
                       (default localhost:9001)

  ws autobahn testeeserver
  ws autobahn fuzzingclient -url ws://localhost:9001
`

const testeeClientUsage = `Usage: ws autobahn testeeclient -url URL [flags]

Is a client to be tested, in all cases of the fuzzing server at URL: this
program's or the original's.

  -agent NAME          its name in the report (default SwanWebSocket)
  -insecure            do not check the server's certificate. For tests only
  -url URL             the fuzzing server's ws:// or wss:// URL
`
