package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Kind is what the clients of a Scenario do.
type Kind string

// The kinds.
const (
	Echo      Kind = "echo"      // each sends messages and waits until they have come back
	Broadcast Kind = "broadcast" // one has the server send messages to all
	Dial      Kind = "dial"      // each connects, upgrades, resets, and does so again
	Idle      Kind = "idle"      // each has one message echoed, and then stays
)

// A Deflate says how messages are compressed.
type Deflate string

// The ways. That the context is taken over means that a message may refer to those
// before it.
const (
	Off        Deflate = "off"
	NoTakeover Deflate = "no takeover"
	Takeover   Deflate = "takeover"
)

// A Scenario is what is measured.
type Scenario struct {
	Name  string
	Title string
	Kind  Kind
	Conns int
	// Size is the length of a message in bytes, before it is compressed.
	Size int
	// Flight is how many messages a client of an Echo sends at once, before it waits
	// for all of them, and how many the server of a Broadcast is told to send.
	Flight  int
	Deflate Deflate
}

// Scenarios are those that are measured if nobody says otherwise.
var Scenarios = []Scenario{
	{"echo-32", "Echo, 32 B", Echo, 64, 32, 1, Off},
	{"echo-1k", "Echo, 1 KiB", Echo, 64, 1 << 10, 1, Off},
	{"pipe-32", "Pipelined echo, 32 B", Echo, 16, 32, 64, Off},
	{"pipe-1k", "Pipelined echo, 1 KiB", Echo, 16, 1 << 10, 16, Off},
	{"large-64k", "Echo, 64 KiB", Echo, 8, 64 << 10, 2, Off},
	{"large-1m", "Echo, 1 MiB", Echo, 4, 1 << 20, 1, Off},
	{"cast-1", "Broadcast", Broadcast, 1000, 128, 1, Off},
	{"cast-16", "Broadcast in bursts", Broadcast, 1000, 128, 16, Off},
	{"deflate-1k", "Compressed echo, 1 KiB", Echo, 16, 1 << 10, 1, NoTakeover},
	{"deflate-16k", "Compressed echo, 16 KiB", Echo, 16, 16 << 10, 1, NoTakeover},
	{"takeover-1k", "With context takeover, 1 KiB", Echo, 16, 1 << 10, 1, Takeover},
	{"takeover-16k", "With context takeover, 16 KiB", Echo, 16, 16 << 10, 1, Takeover},
	{"dial", "Handshake", Dial, 16, 0, 0, Off},
	{"idle", "Memory of an idle connection", Idle, 10000, 64, 1, Off},
}

// Unit is what is counted: "message", "delivery", "handshake" or "connection".
func (s Scenario) Unit() string {
	switch s.Kind {
	case Broadcast:
		return "delivery"
	case Dial:
		return "handshake"
	case Idle:
		return "connection"
	}
	return "message"
}

// About says the numbers of s, for example "64 connections, 32 B, 1 in flight".
func (s Scenario) About() string {
	text := fmt.Sprintf("%d connections", s.Conns)
	if s.Kind == Dial {
		return fmt.Sprintf("%d at a time", s.Conns)
	}
	text += ", " + Bytes(s.Size)
	switch {
	case s.Kind == Broadcast:
		text += fmt.Sprintf(", %d at once", s.Flight)
	case s.Kind == Echo:
		text += fmt.Sprintf(", %d in flight", s.Flight)
	}
	return text
}

// Bytes returns n as "32 B", "1 KiB" or "1 MiB".
func Bytes(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// Parse returns the scenarios that text names, separated by spaces or commas: all of
// Scenarios for "all". Behind a name, numbers may be changed, as in
// "echo-32:conns=1000:flight=4"; the keys are conns, size and flight.
func Parse(text string) ([]Scenario, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	if len(words) == 0 {
		return nil, fmt.Errorf("no scenario given: name some of %s, or all", names())
	}
	var list []Scenario
	for _, word := range words {
		if word == "all" {
			list = append(list, Scenarios...)
			continue
		}
		s, err := parse(word)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	for i, s := range list {
		if slices.ContainsFunc(list[:i], func(t Scenario) bool { return t.Name == s.Name }) {
			return nil, fmt.Errorf("scenario %s is given twice", s.Name)
		}
	}
	return list, nil
}

func parse(word string) (Scenario, error) {
	name, settings, changed := strings.Cut(word, ":")
	i := slices.IndexFunc(Scenarios, func(s Scenario) bool { return s.Name == name })
	if i < 0 {
		return Scenario{}, fmt.Errorf("no scenario %q: there are %s", name, names())
	}
	s := Scenarios[i]
	if !changed {
		return s, nil
	}
	s.Name = word
	for setting := range strings.SplitSeq(settings, ":") {
		key, value, _ := strings.Cut(setting, "=")
		number := map[string]*int{"conns": &s.Conns, "size": &s.Size, "flight": &s.Flight}[key]
		if number == nil || *number == 0 {
			return s, fmt.Errorf("scenario %s has no %q to be set: use conns=, size= or flight=", name, key)
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > most {
			return s, fmt.Errorf("scenario %q: %s is not a number from 1 to %d: %q", word, key, most, value)
		}
		*number = n
	}
	return s, nil
}

// most is what a number of a scenario may be.
const most = 1 << 24

func names() string {
	var list []string
	for _, s := range Scenarios {
		list = append(list, s.Name)
	}
	return strings.Join(list, ", ")
}
