package instant

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestTime_TellsWhatTimeTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, began := time.Now(), Now()
		if began <= 0 || Of(start) != began {
			t.Errorf("now is %d, and %d", began, Of(start))
		}
		<-time.After(3 * time.Second)
		if began.Since() != 3*time.Second || began.Until() != -3*time.Second || Now() != began.Add(3*time.Second) {
			t.Errorf("%v since, %v until", began.Since(), began.Until())
		}
	})
}

func TestOf_WhatIsNotThere_IsNoneOrNearest(t *testing.T) {
	for _, tc := range []struct {
		name string
		at   time.Time
		want Time
	}{
		{"none", time.Time{}, 0},
		{"long before the epoch", time.Unix(1, 0).AddDate(-400, 0, 0), 1},
		{"long after it", time.Unix(1, 0).AddDate(4000, 0, 0), math.MaxInt64},
	} {
		if got := Of(tc.at); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestAdd_BeyondTheLast_IsTheLast(t *testing.T) {
	if got := Now().Add(math.MaxInt64); got != math.MaxInt64 {
		t.Errorf("%d", got)
	}
	if got := Time(10).Add(-3); got != 7 {
		t.Errorf("%d", got)
	}
}
