package bench

// A Sample is what was measured of one library in one scenario, once.
type Sample struct {
	Round    int    `json:"round"`
	Scenario string `json:"scenario"`
	Library  string `json:"library"`

	Count  int     `json:"count"`            // of the scenario's units
	CPU    float64 `json:"cpu,omitempty"`    // nanoseconds of the server's for each
	Rate   float64 `json:"rate,omitempty"`   // units in a second
	Allocs float64 `json:"allocs,omitempty"` // of the server's for each
	Wire   float64 `json:"wire,omitempty"`   // bytes that came back for each

	Touched    float64 `json:"touched,omitempty"`    // bytes of memory for each after one message
	Collected  float64 `json:"collected,omitempty"`  // and after the garbage was given back
	Goroutines float64 `json:"goroutines,omitempty"` // for each
}
