// Package measure runs servers in processes of their own and measures what they use.
package measure

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/swan-ws/websocket/bench"
	"github.com/swan-ws/websocket/bench/servers"
)

// A Server is a library's server in a process of its own.
type Server struct {
	Addr string // that it listens on

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Start starts this program again as a server that compresses as d says, on the
// first procs cores, or on all there are if those are no more. The caller must
// Close it.
func Start(lib servers.Library, d bench.Deflate, procs int) (*Server, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &Server{cmd: exec.Command(path)}
	s.cmd.Env = append(os.Environ(), child+"="+lib.Name+","+string(d), fmt.Sprintf("GOMAXPROCS=%d", procs))
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for this process
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := onCores(serverCores(procs), s.cmd.Start); err != nil {
		return nil, err
	}
	late := s.late()
	line, err := s.out.ReadString('\n')
	if late.Stop(); err != nil {
		s.Close()
		return nil, fmt.Errorf("the server of %s does not start: %w", lib.Name, err)
	}
	s.Addr = strings.TrimSpace(line)
	return s, nil
}

// Close ends the process.
func (s *Server) Close() {
	s.in.Close()
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// Usage returns what the server has used so far.
func (s *Server) Usage() (Usage, error) { return s.ask(usage) }

// Collected returns the same after the server has given back what it does not need.
func (s *Server) Collected() (Usage, error) { return s.ask(collect) }

// patience is how long the process may take to say something.
var patience = 30 * time.Second

// late ends the process after that, unless it is stopped.
func (s *Server) late() *time.Timer {
	return time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
}

func (s *Server) ask(what string) (u Usage, err error) {
	defer s.late().Stop()
	if _, err = io.WriteString(s.in, what+"\n"); err == nil {
		err = json.NewDecoder(s.out).Decode(&u)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		return u, errors.New("the server has ended")
	}
	return u, err
}
