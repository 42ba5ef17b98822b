package autobahn

import (
	"fmt"
	"testing"
)

// builtInCase returns one of the suite's own cases.
func builtInCase(t *testing.T, id string) Case {
	t.Helper()
	for _, c := range Cases() {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no case %s", id)
	return Case{}
}

// The verdicts of the original suite on servers with odd habits, as they were seen in
// runs of it.
func TestJudge_IsLikeTheOriginal(t *testing.T) {
	const none = ""
	columns := [][]string{{"1.1.1"}, {"2.1"}, {"2.5", "3.1", "5.1"}, {"2.7"}, {"7.1.2", "7.3.1", "7.7.1"}, {"7.9.1"}}
	tests := []struct {
		habit    habit
		verdicts [6]string
	}{
		{keepsAtFault, [6]string{"OK/OK", "OK/OK", "OK/FAILED BY CLIENT", "OK/OK", "OK/OK", none}},
		{keepsAtClose, [6]string{"OK/FAILED BY CLIENT", "OK/UNCLEAN", "OK/OK", "OK/UNCLEAN", "OK/FAILED BY CLIENT", none}},
		{dropsOnClose, [6]string{"OK/UNCLEAN", "OK/UNCLEAN", "OK/OK", "OK/UNCLEAN", "OK/UNCLEAN", "OK/OK"}},
		{answers1012, [6]string{"OK/UNCLEAN", "OK/UNCLEAN", "OK/OK", "OK/UNCLEAN", "OK/UNCLEAN", "FAILED/WRONG CODE"}},
		{pongsBefore, [6]string{"FAILED/WRONG CODE", "OK/OK", "OK/OK", "OK/OK", "OK/OK", "FAILED/WRONG CODE"}},
		{pingsBefore, [6]string{"OK/OK", "OK/OK", "OK/OK", "OK/OK", "OK/OK", "FAILED/WRONG CODE"}},
		{failsLate, [6]string{"OK/OK", "OK/OK", "OK/OK", "OK/OK", "OK/OK", "FAILED/WRONG CODE"}},
	}
	for _, tt := range tests {
		for i, want := range tt.verdicts {
			for _, id := range columns[i] {
				if want == none {
					continue
				}
				t.Run(fmt.Sprintf("%s in %s", tt.habit, id), func(t *testing.T) {
					r := runServer(t, builtInCase(t, id), tt.habit)
					if got := fmt.Sprintf("%s/%s", r.Behavior, r.BehaviorClose); got != want {
						t.Errorf("%s, want %s\n%s\n%s", got, want, r.Result, r.ResultClose)
					}
				})
			}
		}
	}
}

// Habits that the original judges too, or not as hard.
func TestJudge_Catches_Habits(t *testing.T) {
	tests := []struct {
		id      string
		habit   habit
		server  string // the verdict on a server
		client  string // and on a client; "": the same
		closing string // the code that our Close had; "": no matter
	}{
		{"1.1.2", wellBehaved, "OK/OK", "", "1000"},
		{"1.1.2", saysNothing, "FAILED/UNCLEAN", "", "1001"},
		{"1.1.2", masksWrongly, "FAILED/WRONG CODE", "", "1002"},
		{"1.1.2", closesItself, "FAILED/FAILED", "", "1000"},
		{"1.1.2", invalidText, "FAILED/WRONG CODE", "", "1007"},
		{"1.1.2", echoesDamage, "FAILED/WRONG CODE", "", "1002"},
		{"1.1.2", echoesBinary, "FAILED/WRONG CODE", "", "1001"},
		{"1.1.2", invalidReason, "FAILED/UNCLEAN", "", "1000"},
		{"1.1.8", wellBehaved, "OK/OK", "", "1000"},
		{"2.11", wellBehaved, "OK/OK", "", "1000"},
		{"3.1", neverFails, "OK/FAILED", "", "1001"},
		{"4.1.3", wellBehaved, "OK/OK", "", "1000"},
		{"5.6", wellBehaved, "OK/OK", "", "1000"},
		{"5.19", wellBehaved, "OK/OK", "", "1000"},
		{"6.2.3", wellBehaved, "OK/OK", "", "1000"},
		{"6.4.3", neverFails, "FAILED/FAILED", "", ""},
		{"7.1.1", wellBehaved, "OK/OK", "", "1000"},
		{"7.1.2", keepsAtClose, "OK/FAILED BY CLIENT", "OK/OK", "1000"},
		{"7.1.6", wellBehaved, "INFORMATIONAL/INFORMATIONAL", "", ""},
		{"7.13.1", wellBehaved, "INFORMATIONAL/INFORMATIONAL", "", ""},
		{"9.7.2", wellBehaved, "OK/OK", "", "1000"},
		{"9.7.2", echoesTwice, "FAILED/OK", "", "1000"},
		{"9.7.2", echoesLonger, "FAILED/OK", "", "1000"},
		{"9.7.2", echoesOther, "FAILED/OK", "", "1000"},
		{"9.7.2", echoesBinary, "FAILED/OK", "", "1000"},
		{"9.7.2", saysNothing, "FAILED/UNCLEAN", "", ""},
		{"9.7.2", closesItself, "FAILED/FAILED", "", ""},
		{"10.1.1", wellBehaved, "OK/OK", "", "1000"},
		{"12.1.3", wellBehaved, "OK/OK", "", "1000"},
		{"12.4.11", wellBehaved, "OK/OK", "", "1000"},
		{"12.2.3", echoesDamage, "FAILED/OK", "", "1000"},
		{"13.3.3", declines, "UNIMPLEMENTED/OK", "OK/OK", "1000"},
	}
	for _, tt := range tests {
		run := func(role, want string, r Result) {
			t.Run(fmt.Sprintf("%s, a %s that %s", tt.id, role, tt.habit), func(t *testing.T) {
				if got := fmt.Sprintf("%s/%s", r.Behavior, r.BehaviorClose); got != want {
					t.Errorf("%s, want %s\n%s\n%s", got, want, r.Result, r.ResultClose)
				}
				if tt.closing != "" && (r.LocalCloseCode == nil || fmt.Sprint(*r.LocalCloseCode) != tt.closing) {
					t.Errorf("our Close: %v, want %s", r.LocalCloseCode, tt.closing)
				}
			})
		}
		run("server", tt.server, runServer(t, builtInCase(t, tt.id), tt.habit))
		if tt.client == "" {
			tt.client = tt.server
		}
		run("client", tt.client, runClientCase(t, builtInCase(t, tt.id), tt.habit))
	}
}
