package main

import (
	"testing"

	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestTaxi_EachRiderHearsWhereTheTaxisAre(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	url := "ws://" + p.Addr(t)
	rosa, rob := trial.Dial(t, url+"/subscribe/rosa", nil), trial.Dial(t, url+"/subscribe/rob", nil)
	trial.Hear(t, rosa, "Hi rosa! You have successfully connected.")
	trial.Hear(t, rob, "Hi rob! You have successfully connected.")

	dan := trial.Dial(t, url+"/taxi/dan", nil)
	trial.Hear(t, dan, "Hi dan! Your location will be shared with the riders")
	trial.Hear(t, rosa, "Driver dan ready for a ride")
	trial.Hear(t, rob, "Driver dan ready for a ride")
	trial.Say(t, dan, "Swan Lane")
	trial.Hear(t, rosa, "dan updated the location Swan Lane")
	trial.Hear(t, rob, "dan updated the location Swan Lane")

	rosa.CloseNow() // and the others go on
	trial.Say(t, dan, "Goose Street")
	trial.Hear(t, rob, "dan updated the location Goose Street")
}
