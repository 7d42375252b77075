package main

import (
	"context"
	"encoding/json"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// One order of the faults file, which is a list of them and may change at any time.
type fault struct {
	Id string `json:"id"`
	// Name of the CSI call, like CreateSnapshot.
	Call string `json:"call"`
	// NAMESPACE/NAME; all when empty.
	Claim   string `json:"claim"`
	DelayMs int64  `json:"delayMs"`
	// A gRPC code, like UNAVAILABLE; none when empty.
	Code    string `json:"code"`
	Message string `json:"message"`
	// How often; always when 0.
	Times int `json:"times"`
	// The work is done, and only the answer is the error.
	Afterwards bool `json:"afterwards"`
	NeverReady bool `json:"neverReady"`
}

type faults struct {
	sync.Mutex
	file string
	seen map[string]int
}

func (f *faults) orders(call, claim string) []fault {
	text, err := os.ReadFile(f.file)
	orders, fitting := []fault{}, []fault{}
	if err != nil || json.Unmarshal(text, &orders) != nil {
		return fitting
	}
	for _, order := range orders {
		if order.Call == call && (order.Claim == "" || order.Claim == claim) {
			fitting = append(fitting, order)
		}
	}
	return fitting
}

// Calls `work` as the orders want it: late, not at all, or with an answer that is lost.
func faulty[Answer any](ctx context.Context, f *faults, call, claim string, work func() (Answer, error)) (Answer, error) {
	var nothing Answer
	failing := f.next(call, claim)
	if failing != nil {
		select {
		case <-time.After(time.Duration(failing.DelayMs) * time.Millisecond):
		case <-ctx.Done():
			if !failing.Afterwards {
				return nothing, status.FromContextError(ctx.Err()).Err()
			}
		}
		if err := failing.err(); err != nil && !failing.Afterwards {
			return nothing, err
		}
	}
	answer, err := work()
	if failing != nil && failing.Afterwards && err == nil {
		return nothing, failing.err()
	}
	return answer, err
}

func (f *faults) next(call, claim string) *fault {
	f.Lock()
	defer f.Unlock()
	for _, order := range f.orders(call, claim) {
		if order.NeverReady || order.Times > 0 && f.seen[order.Id] >= order.Times {
			continue
		}
		f.seen[order.Id]++
		return &order
	}
	return nil
}

func (f *faults) neverReady(claim string) bool {
	for _, order := range f.orders("CreateSnapshot", claim) {
		if order.NeverReady {
			return true
		}
	}
	return false
}

func (f *fault) err() error {
	if f.Code == "" {
		return nil
	}
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(`"` + f.Code + `"`)); err != nil {
		code = codes.Unknown
	}
	return status.Error(code, f.Message)
}
