package redis_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/redis"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

// TestRedisComesAndGoes asks while it is there, away and back: nobody waits, and it is said once each.
func TestRedisComesAndGoes(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var log bytes.Buffer
	c, err := redis.New(server.URL(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.Wait(10 * time.Second)
	set := func(text string) {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); c.Set(t.Context(), "k", text, time.Minute) != nil; <-time.After(5 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal("it is never there")
			}
		}
	}
	set("one\x00 \"")
	if text, known, err := c.Get(t.Context(), "k", time.Minute); text != "one\x00 \"" || !known || err != nil {
		t.Errorf("%q %t %v", text, known, err)
	}
	if _, known, err := c.Get(t.Context(), "other", time.Minute); known || err != nil {
		t.Errorf("what is not there: %t %v", known, err)
	}
	server.Stop()
	var asking sync.WaitGroup
	for range 50 {
		asking.Go(func() {
			if _, known, err := c.Get(t.Context(), "k", time.Minute); known || err == nil {
				t.Error("it answers although it is away")
			}
		})
	}
	asking.Wait()
	server.Start()
	set("two")
	if text, _, _ := c.Get(t.Context(), "k", time.Minute); text != "two" {
		t.Errorf("%q", text)
	}
	c.Close()
	if err := c.Set(t.Context(), "k", "x", time.Minute); err == nil {
		t.Error("it answers although it is closed")
	}
	if away, back := strings.Count(log.String(), "does not answer"), strings.Count(log.String(), "is back"); away != 1 || back != 1 {
		t.Errorf("said %d and %d times:\n%s", away, back, log.String())
	}
}

// TestRedisThatRefuses is too old: it answers, and keeps nothing that could be read. That is said once, and doctor is told.
func TestRedisThatRefuses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--rename-command", "GETEX", "")
	var log bytes.Buffer
	c, err := redis.New(server.URL(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c.Wait(10 * time.Second)
	for until := time.Now().Add(20 * time.Second); c.Set(t.Context(), "k", "x", time.Minute) != nil; <-time.After(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it is never there")
		}
	}
	for range 3 {
		if text, known, err := c.Get(t.Context(), "k", time.Minute); text != "" || known || err == nil || errors.Is(err, redis.ErrAway) {
			t.Errorf("%q %t %v", text, known, err)
		}
	}
	if err := c.Check(t.Context(), "probe"); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("doctor is told %v", err)
	}
	c.Close()
	if n := strings.Count(log.String(), "redis refuses"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
	good, err := redis.New(redistest.Start(t).URL(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := good.Check(t.Context(), "probe"); err != nil {
		t.Error(err)
	}
}

// TestAddresses has some that cannot be meant: no password is told.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://u:hunter2@h", "redis://u:hunter2@h:1/x", "://hunter2", ""} {
		if _, err := redis.New(address, slog.New(slog.DiscardHandler)); fault.CodeOf(err) != "redis/bad-url" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
