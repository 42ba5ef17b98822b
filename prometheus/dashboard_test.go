package prometheus_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	wsprometheus "github.com/swan-ws/websocket/prometheus"
)

// A dashboard is what of Grafana's format matters here.
type dashboard struct {
	Templating struct{ List []struct{ Name string } }
	Panels     []struct {
		ID      int
		Type    string
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ Expr string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	p, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(p, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// expressions returns those of all panels, in order.
func (d dashboard) expressions() (all []string) {
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

var (
	jsString  = `"((?:[^"\\]|\\.)*\$\}(?:[^"\\]|\\.)*)"`
	inPage    = regexp.MustCompile(jsString + `|quantiles\("(\w+)"\)`)
	metrics   = regexp.MustCompile(`websocket_\w+`)
	variables = regexp.MustCompile(`\$\w+`)
	parts     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// pageExpressions returns the expressions of the page's graphs, as Grafana has them.
func pageExpressions(t *testing.T) (all []string) {
	t.Helper()
	p, err := os.ReadFile("consoles/websocket.html")
	if err != nil {
		t.Fatal(err)
	}
	_, graphs, _ := strings.Cut(string(p), "const sections = {")
	graphs, _, _ = strings.Cut(graphs, "\n};")
	grafana := strings.NewReplacer(`$}`, `job=~"$job",instance=~"$instance",$filter}`, `[$w]`, `[$__rate_interval]`, `\"`, `"`)
	for _, found := range inPage.FindAllStringSubmatch(graphs, -1) {
		if found[2] == "" {
			all = append(all, grafana.Replace(found[1]))
			continue
		}
		for _, q := range []string{"0.5", "0.9", "0.99"} {
			all = append(all, grafana.Replace(fmt.Sprintf("histogram_quantile(%s, sum by (le) (rate(websocket_%s_bucket{$}[$w])))", q, found[2])))
		}
	}
	return all
}

func TestDashboard_ShowsWhatThePageShows(t *testing.T) {
	got, want := readDashboard(t).expressions(), pageExpressions(t)
	if !slices.Equal(got, want) || len(got) < 20 {
		t.Errorf("dashboard.json has\n%s\nbut the page\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// No metric is misspelt, and none is forgotten.
func TestDashboard_ShowsEveryMetric(t *testing.T) {
	shown := map[string]bool{}
	for _, e := range readDashboard(t).expressions() {
		for _, name := range metrics.FindAllString(e, -1) {
			shown[parts.ReplaceAllString(name, "")] = true
		}
	}
	there := map[string]bool{}
	synctest.Test(t, func(t *testing.T) {
		m := wsprometheus.New(nil)
		everything(t, m)
		r := prometheus.NewPedanticRegistry()
		r.MustRegister(m)
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			there[f.GetName()] = true
		}
	})
	if !maps.Equal(shown, there) {
		t.Errorf("shown %v, there are %v", slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(there)))
	}
}

func TestDashboard_IsWhole(t *testing.T) {
	d := readDashboard(t)
	known := []string{"$__rate_interval"}
	for _, v := range d.Templating.List {
		known = append(known, "$"+v.Name)
	}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("two panels are number %d", p.ID)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := cells[cell]; other != "" || cell[0] >= 24 {
					t.Fatalf("%q lies on %q, or beside the grid", p.Title, other)
				}
				cells[cell] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, v := range variables.FindAllString(target.Expr, -1) {
				if !slices.Contains(known, v) {
					t.Errorf("%q: nobody sets %s", p.Title, v)
				}
			}
		}
	}
}
