package outbound_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/outbound"
)

// BenchmarkDo calls a server on loopback, beside a plain client of net/http that does the least one can do with it.
func BenchmarkDo(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	b.Cleanup(server.Close)
	body := []byte(strings.Repeat(`{"id":1}`, 100))
	ours := open(b, outbound.Config{}, outbound.Deps{Loopback: true})
	header := http.Header{"Content-Type": {"application/json"}}
	do := func(b *testing.B) {
		if r := ours.Do(b.Context(), outbound.Request{URL: server.URL, Header: header, Body: body}); r.Class != outbound.Delivered {
			b.Fatal(r.Err)
		}
	}
	plain := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	b.Cleanup(plain.CloseIdleConnections)
	post := func(b *testing.B) {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := plain.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
	}
	for name, call := range map[string]func(*testing.B){"outbound": do, "net http": post} {
		b.Run(name+"/one", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call(b)
			}
		})
		b.Run(name+"/many", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					call(b)
				}
			})
		})
	}
}

// BenchmarkSign signs a body of 800 bytes, by one key and by two.
func BenchmarkSign(b *testing.B) {
	body := []byte(strings.Repeat(`{"id":1}`, 100))
	for name, secret := range map[string]string{"one key": published, "two keys": published + "," + rawSecret} {
		k := keys(b, secret)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Sign("evt_1", time.Now(), body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
