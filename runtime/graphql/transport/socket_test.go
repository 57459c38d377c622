package transport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// dialled opens a WebSocket to streams, of a page of some origin. Headers of all requests say that ann asks.
func dialled(t *testing.T, s *transport.Streams, origin string) *websocket.Conn {
	t.Helper()
	s.Ready, s.Most, s.PerSocket, s.Buffer, s.KeepAlive, s.Patience = func() bool { return true }, 10, 10, 1<<20, time.Minute, time.Minute
	h := &transport.Handler{Execute: answers, BodyLimit: 1 << 20, Streams: s}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(httpapi.WithPrincipal(r.Context(), &httpapi.Principal{Subject: "ann", Claims: []byte(`{}`)})))
	}))
	t.Cleanup(server.Close)
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// talk says something, and wants to hear an answer.
func talk(t *testing.T, conn *websocket.Conn, said, want string) {
	t.Helper()
	if said != "" {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(said)); err != nil {
			t.Fatal(err)
		}
	}
	if want == "" {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, text, err := conn.Read(ctx); err != nil || string(text) != want {
		t.Fatalf("it heard %s %v, not %s", text, err, want)
	}
}

// TestAnIDThatIsUsedAgain is not told what the operation before had on its way.
func TestAnIDThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	begun := make(chan transport.Feed, 1)
	conn := dialled(t, &transport.Streams{Subscribe: func(_ context.Context, _ transport.Request, f transport.Feed) (func(), *transport.Response) {
		begun <- f
		return func() {}, nil
	}}, "")
	talk(t, conn, `{"type":"connection_init"}`, `{"type":"connection_ack"}`)
	const subscribes = `{"id":"1","type":"subscribe","payload":{"query":"subscription { a }"}}`
	talk(t, conn, subscribes, "")
	first := <-begun
	first.Out.Put(subscribe.Item{Of: first.Of, Payload: []byte(`"first"`)})
	talk(t, conn, "", `{"id":"1","type":"next","payload":"first"}`)
	talk(t, conn, `{"id":"1","type":"complete"}`, "")
	talk(t, conn, subscribes, "")
	second := <-begun
	first.Out.Put(subscribe.Item{Of: first.Of, Payload: []byte(`"late"`)})
	second.Out.Put(subscribe.Item{Of: second.Of, Payload: []byte(`"second"`)})
	talk(t, conn, "", `{"id":"1","type":"next","payload":"second"}`)
}

// TestPagesOfOthersAskAsNobody has browsers send cookies with the WebSocket of any page.
func TestPagesOfOthersAskAsNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		origin, origins string
		cookies         bool
		want            string
	}{
		{"", "", false, "ann"},
		{"https://evil.test", "*", false, "nobody"},
		{"https://evil.test", "*", true, "nobody"},
		{"https://app.test", "*,https://app.test", false, "nobody"},
		{"https://app.test", "*,https://app.test", true, "ann"},
		{"https://a.app.test", "https://*.app.test", true, "ann"},
	} {
		who := make(chan string, 1)
		for hello, want := range map[string]string{`{"type":"connection_init"}`: c.want, `{"type":"connection_init","payload":{"Authorization":"Bearer bob"}}`: "bob"} {
			if want == "bob" && c.want == "ann" {
				continue // two may not say it
			}
			conn := dialled(t, &transport.Streams{
				Origins: strings.Split(c.origins, ","), Cookies: c.cookies, Nobody: &httpapi.Principal{Subject: "nobody"},
				Verify: func(_ context.Context, token string) (*httpapi.Principal, error) {
					return &httpapi.Principal{Subject: token}, nil
				},
				Subscribe: func(_ context.Context, r transport.Request, _ transport.Feed) (func(), *transport.Response) {
					who <- r.Principal.Subject
					return func() {}, nil
				},
			}, c.origin)
			talk(t, conn, hello, `{"type":"connection_ack"}`)
			talk(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"subscription { a }"}}`, "")
			if got := <-who; got != want {
				t.Errorf("%+v: %s asks after %s", c, got, hello)
			}
		}
	}
}

// TestPayloadsThatAreNone close the connection, as the protocol has it.
func TestPayloadsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{`7`, `"subscription { a }"`, `[]`, `{"query":7}`, `{"query":"subscription { a }","variables":[]}`, `{"query":"subscription { a }","query":"{ b }"}`} {
		conn := dialled(t, &transport.Streams{Subscribe: func(context.Context, transport.Request, transport.Feed) (func(), *transport.Response) {
			t.Errorf("%s was asked", payload)
			return func() {}, nil
		}}, "")
		talk(t, conn, `{"type":"connection_init"}`, `{"type":"connection_ack"}`)
		talk(t, conn, `{"id":"1","type":"subscribe","payload":`+payload+`}`, "")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if _, text, err := conn.Read(ctx); websocket.CloseStatus(err) != 4400 {
			t.Errorf("%s: it heard %s %v", payload, text, err)
		}
		cancel()
	}
}
