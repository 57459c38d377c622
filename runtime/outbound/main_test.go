package outbound_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// discard is for servers that would tell of what clients do wrong on purpose.
var discard = log.New(io.Discard, "", 0)

// open makes a client that the test closes.
func open(t testing.TB, c outbound.Config, d outbound.Deps) *outbound.Client {
	t.Helper()
	client, err := outbound.New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// journal is a log that many goroutines write and a test reads.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// names is a name server on loopback. answer gives the addresses of a name; n counts from 0 how often that kind was asked for.
func names(t testing.TB, answer func(name string, n int) []string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		asked := map[string]int{}
		for question := make([]byte, 1500); ; {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			name, end := "", 12
			for question[end] != 0 {
				name += string(question[end+1:end+1+int(question[end])]) + "."
				end += 1 + int(question[end])
			}
			kind := question[end+2]
			reply := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:min(end+5, n)]...)
			for _, text := range answer(name, asked[name+string(kind)]) {
				a := netip.MustParseAddr(text)
				if kind == 1 && a.Is4() || kind == 28 && a.Is6() {
					reply[7]++
					reply = append(reply, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0)
					reply = binary.BigEndian.AppendUint16(reply, uint16(a.BitLen()/8))
					reply = append(reply, a.AsSlice()...)
				}
			}
			asked[name+string(kind)]++
			_, _ = server.WriteTo(reply, from)
		}
	})
	t.Cleanup(func() { _ = server.Close(); serving.Wait() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// counted listens at an address, counts the connections, and closes them at once.
type counted struct {
	net.Listener
	mu sync.Mutex
	n  int
}

func listen(t testing.TB, address string) *counted {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{Listener: l}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.n++
			c.mu.Unlock()
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return c
}

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *counted) port() string {
	return c.Addr().String()[strings.LastIndexByte(c.Addr().String(), ':')+1:]
}
