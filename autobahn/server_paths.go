package autobahn

import (
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// serve does what the path of a request says.
func (f *FuzzingServer) serve(conn net.Conn, request head, rest []byte) {
	target := strings.Fields(request.first + " - -")[1]
	u, err := url.ParseRequestURI(target)
	if err != nil {
		refuse(conn, 400, "the request names no path")
		return
	}
	call := serverCall{f, conn, request, rest, u.Query()}
	paths := map[string]func() error{
		"/getCaseCount":  call.caseCount,
		"/getCaseInfo":   call.caseInfo,
		"/getCaseStatus": call.caseStatus,
		"/runCase":       call.runCase,
		"/updateReports": call.updateReports,
		"/stopServer":    call.stopServer,
	}
	do := paths[u.Path]
	if do == nil {
		refuse(conn, 404, "there is nothing at this path: ask for /getCaseCount, /runCase?case=1&agent=NAME, /getCaseInfo, /getCaseStatus, /updateReports or /stopServer")
		return
	}
	if err := do(); err != nil {
		refuse(conn, 500, err.Error())
	}
}

// A serverCall is a request of a client's. Its methods answer it, or return an error
// before they have.
type serverCall struct {
	f       *FuzzingServer
	conn    net.Conn
	request head
	rest    []byte
	query   url.Values
}

func (s serverCall) say(message string) error {
	s.f.converse(s.conn, s.request, s.rest, message)
	return nil
}

func (s serverCall) sayJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.say(string(b))
}

func (s serverCall) agent() (string, error) {
	if a := s.query.Get("agent"); a != "" {
		return a, nil
	}
	return "", errors.New("say who you are: add agent=NAME")
}

func (s serverCall) pick() (*Case, error) {
	return s.f.pick(s.query.Get("case"), s.query.Get("casetuple"))
}

func (s serverCall) caseCount() error { return s.say(strconv.Itoa(len(s.f.cases))) }

func (s serverCall) caseInfo() error {
	c, err := s.pick()
	if err != nil {
		return err
	}
	return s.sayJSON(map[string]string{"id": c.ID, "description": s.f.counted(c.Description)})
}

func (s serverCall) caseStatus() error {
	agent, err := s.agent()
	if err != nil {
		return err
	}
	c, err := s.pick()
	if err != nil {
		return err
	}
	r, ok := s.f.await(s.f.ctx, agent, c.ID)
	if !ok {
		return errors.New("the server stops")
	}
	return s.sayJSON(map[string]Behavior{"behavior": r.Behavior})
}

func (s serverCall) runCase() error {
	agent, err := s.agent()
	if err != nil {
		return err
	}
	c, err := s.pick()
	if err != nil {
		return err
	}
	if s.f.Exclude != nil {
		if exclude := s.f.Exclude(agent); exclude != nil && exclude(c.ID) {
			return s.say("")
		}
	}
	s.f.report.start(c.ID)
	end := s.f.begin(agent)
	r := s.f.run(s.conn, c, s.request, s.rest).result()
	if s.f.ctx.Err() != nil {
		end(nil)
		return nil
	}
	r.Case, r.Agent = s.f.number(c.ID), agent
	end(&r)
	return nil
}

func (s serverCall) updateReports() error {
	agent, err := s.agent()
	if err != nil {
		return err
	}
	s.f.settle(agent)
	if s.f.Reports != nil {
		if err := s.f.Reports(s.f.allResults()); err != nil {
			return err
		}
	}
	err = s.say("")
	if s.query.Get("shutdownOnComplete") == "true" {
		s.f.stop()
	}
	return err
}

func (s serverCall) stopServer() error {
	err := s.say("")
	s.f.stop()
	return err
}
