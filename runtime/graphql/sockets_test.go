package graphql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fraiseql/fraiseql/runtime/graphql"
)

func begins(t *testing.T, conn *websocket.Conn, id, query string) {
	t.Helper()
	say(t, conn, map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": query}})
}

// subscribed begins a subscription to artists, and changes one until that is told.
func subscribed(t *testing.T, l *live, conn *websocket.Conn, id, query string) {
	t.Helper()
	begins(t, conn, id, query)
	heard := make(chan string, 1)
	go func() {
		text, _ := listen(t, conn)
		heard <- text
	}()
	for {
		exec(t, l.owner, `update artist set name = name || '!' where id = 1`)
		select {
		case text := <-heard:
			if !strings.Contains(text, `"id":"`+id+`","type":"next"`) {
				t.Fatalf("it heard %s", text)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestSocketsSpeakTheProtocol goes through PROTOCOL.md of graphql-ws.
func TestSocketsSpeakTheProtocol(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), records)
	conn := l.dial(t, nil)
	say(t, conn, `{"type":"ping"}`)
	hear(t, conn, `{"type":"pong"}`)
	say(t, conn, `{"type":"connection_init"}`)
	hear(t, conn, `{"type":"connection_ack"}`)
	say(t, conn, `{"type":"ping","payload":{"a":1}}`)
	hear(t, conn, `{"type":"pong","payload":{"a":1}}`)
	say(t, conn, `{"type":"pong","payload":{"a":1}}`)
	begins(t, conn, "q", `{ artists(limit: 1) { name } }`)
	hear(t, conn, `{"id":"q","type":"next","payload":{"data":{"artists":[{"name":"A"}]}}}`, `{"id":"q","type":"complete"}`)
	begins(t, conn, "m", `mutation { updateArtist(id: 1, set: {name: "B"}) { name } }`)
	hear(t, conn, `{"id":"m","type":"next","payload":{"data":{"updateArtist":{"name":"B"}}}}`, `{"id":"m","type":"complete"}`)
	begins(t, conn, "e", `{ nothing }`)
	if text, err := listen(t, conn); err != nil || !strings.HasPrefix(text, `{"id":"e","type":"error","payload":[{"message":`) {
		t.Errorf("it heard %s %v", text, err)
	}
	say(t, conn, `{"id":"v","type":"subscribe","payload":{"query":"query($n: BigInt!) { artist(id: $n) { id } }","variables":{"n":9007199254740993}}}`)
	hear(t, conn, `{"id":"v","type":"next","payload":{"data":{"artist":{"id":"9007199254740993"}}}}`, `{"id":"v","type":"complete"}`)
	subscribed(t, l, conn, "s", `subscription { artistChanged { op } }`)
	say(t, conn, `{"id":"s","type":"complete"}`)
	say(t, conn, `{"id":"unheard","type":"complete"}`)
	say(t, conn, `{"type":"ping"}`)
	for text := ""; text != `{"type":"pong"}`; { // what s had on the way
		var err error
		if text, err = listen(t, conn); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, l.owner, `insert into artist values (3, 'C')`)
	subscribed(t, l, conn, "t", `subscription { artistChanged { op } }`) // it is told of by t alone
}

// TestSocketsThatBreakTheProtocol are closed with the codes that it has for that.
func TestSocketsThatBreakTheProtocol(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), records)
	const hello, ask = `{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":{"query":"subscription { artistChanged { op } }"}}`
	for name, c := range map[string]struct {
		say  []string
		code websocket.StatusCode
	}{
		"no JSON":                {[]string{`{`}, 4400},
		"no object":              {[]string{`[]`}, 4400},
		"an unknown type":        {[]string{`{"type":"start"}`}, 4400},
		"no type":                {[]string{`{}`}, 4400},
		"a payload that is none": {[]string{`{"type":"connection_init","payload":1}`}, 4400},
		"no hello":               {[]string{ask}, 4401},
		"two hellos":             {[]string{hello, hello}, 4429},
		"one id twice":           {[]string{hello, ask, ask}, 4409},
		"no id":                  {[]string{hello, `{"type":"subscribe","payload":{"query":"{ __typename }"}}`}, 4400},
		"no payload":             {[]string{hello, `{"id":"1","type":"subscribe"}`}, 4400},
		"a query that is none":   {[]string{hello, `{"id":"1","type":"subscribe","payload":{"query":1}}`}, 4400},
		"a token that is none":   {[]string{`{"type":"connection_init","payload":{"authorization":"Bearer x"}}`}, 4403},
		"a scheme that is none":  {[]string{`{"type":"connection_init","payload":{"headers":{"Authorization":"Basic"}}}`}, 4403},
		"too much":               {[]string{hello, `{"id":"1","type":"` + strings.Repeat("x", 300<<10) + `"}`}, websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := l.dial(t, nil)
			for _, text := range c.say {
				if conn.Write(t.Context(), websocket.MessageText, []byte(text)) != nil {
					break
				}
			}
			if code := closed(t, conn); code != c.code {
				t.Errorf("it was closed with %d", code)
			}
		})
	}
	t.Run("another protocol", func(t *testing.T) {
		t.Parallel()
		conn, _, err := websocket.Dial(t.Context(), l.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-ws"}})
		if err != nil {
			t.Fatal(err)
		}
		if code := closed(t, conn); code != 4406 {
			t.Errorf("it was closed with %d", code)
		}
	})
	t.Run("too many", func(t *testing.T) {
		t.Parallel()
		conn := l.socket(t, "")
		for i := range 6 {
			begins(t, conn, fmt.Sprint(i), `subscription { artistChanged { op } }`)
		}
		if text, err := listen(t, conn); err != nil || !strings.HasPrefix(text, `{"id":"5","type":"error","payload":[`) || !strings.Contains(text, "RATE_LIMITED") {
			t.Errorf("it heard %s %v", text, err)
		}
	})
	for origin, status := range map[string]int{"https://evil.test": 403, "https://example.com.evil.test": 403, "null": 403, "https://app.example.com": 101, "": 101, l.url: 101} {
		conn, response, err := websocket.Dial(t.Context(), l.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Origin": {origin}}})
		if response == nil || response.StatusCode != status {
			t.Errorf("a page of %q: %v %v", origin, response, err)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
}

// TestASilentSocketIsClosed has one that never says hello.
func TestASilentSocketIsClosed(t *testing.T) {
	t.Parallel()
	c := graphql.DefaultConfig()
	s := subscriptions("*")
	s.InitTimeout = 10 * time.Millisecond
	c.Subscriptions = &s
	l := lively(t, c, records)
	if code := closed(t, l.dial(t, nil)); code != 4408 {
		t.Errorf("it was closed with %d", code)
	}
}

const owned = `
	create table item (id int primary key, owner text not null);
	alter table item enable row level security;
	create policy own on item to member_DB using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
	grant usage on schema public to member_DB, guest_DB;
	grant select on item to member_DB;`

// TestATokenExpires ends what was subscribed to by it.
func TestATokenExpires(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), owned)
	const holds = 200 * time.Millisecond
	began := time.Now()
	// 4403 is a code that clients come again after, by then with another token.
	if code := closed(t, l.socket(t, "member:ann:"+holds.String())); code != 4403 || time.Since(began) < holds {
		t.Errorf("the socket was closed with %d after %v", code, time.Since(began))
	}
	began = time.Now()
	s := l.stream(t, "member:ann:"+holds.String(), `subscription { itemChanged { op } }`, "")
	if got := s.next(); !strings.Contains(got, "UNAUTHENTICATED") || s.next() != "complete" || time.Since(began) < holds {
		t.Errorf("it was told %s after %v", got, time.Since(began))
	}
}

// TestWhoAsksBySocket is said by the first message, or by headers, not by both.
func TestWhoAsksBySocket(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), owned+`insert into item values (1, 'ann'), (2, 'bob')`)
	conn := l.socket(t, "member:ann")
	begins(t, conn, "1", `{ items { id } }`)
	hear(t, conn, `{"id":"1","type":"next","payload":{"data":{"items":[{"id":1}]}}}`, `{"id":"1","type":"complete"}`)
	headed := l.dial(t, http.Header{"Test-Who": {"member:bob"}})
	say(t, headed, `{"type":"connection_init"}`)
	hear(t, headed, `{"type":"connection_ack"}`)
	begins(t, headed, "1", `{ items { id } }`)
	hear(t, headed, `{"id":"1","type":"next","payload":{"data":{"items":[{"id":2}]}}}`, `{"id":"1","type":"complete"}`)
	both := l.dial(t, http.Header{"Test-Who": {"member:bob"}})
	say(t, both, `{"type":"connection_init","payload":{"Authorization":"Bearer member:ann"}}`)
	if code := closed(t, both); code != 4403 {
		t.Errorf("it was closed with %d", code)
	}
	nobody := l.socket(t, "")
	begins(t, nobody, "1", `subscription { itemChanged { op } }`)
	if text, err := listen(t, nobody); err != nil || !strings.Contains(text, "UNAUTHENTICATED") {
		t.Errorf("nobody was told %s %v", text, err)
	}
}

// TestTheServerLeaves ends all, in a way that has clients come again.
func TestTheServerLeaves(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), records)
	conn := l.socket(t, "")
	subscribed(t, l, conn, "s", `subscription { artistChanged { op } }`)
	s := l.stream(t, "", `subscription { artistChanged { op } }`, "")
	l.stop() // and it waits for all of them
	if code := closed(t, conn); code != websocket.StatusGoingAway {
		t.Errorf("the socket was closed with %d", code)
	}
	if got := s.next(); got != "cut" {
		t.Errorf("the stream ended with %s", got)
	}
}

// TestTheSchemaChanges under those who subscribe: they are to come again.
func TestTheSchemaChanges(t *testing.T) {
	t.Parallel()
	l := livelyAt(t, graphql.DefaultConfig(), 20*time.Millisecond, records)
	conn := l.socket(t, "")
	subscribed(t, l, conn, "s", `subscription { artistChanged { op } }`)
	s := l.stream(t, "", `subscription { artistChanged { op artist { name } } }`, "")
	exec(t, l.owner, `alter table artist add column born int`)
	wait(t, func() bool { return l.service.Schema("").Objects["Artist"].Fields["born"] != nil })
	exec(t, l.owner, `update artist set name = 'X'`)
	if code := closed(t, conn); code != websocket.StatusServiceRestart {
		t.Errorf("the socket was closed with %d", code)
	}
	for got := s.next(); got != "cut"; got = s.next() {
		t.Errorf("it was told %s", got)
	}
	again := l.stream(t, "", `subscription { artistChanged { artist { born } } }`, "")
	exec(t, l.owner, `update artist set born = 1 where id = 1`)
	if got := again.next(); got != `{"data":{"artistChanged":{"artist":{"born":1}}}}` {
		t.Errorf("it was told %s", got)
	}
}

// TestASlowClientIsLetGo has one that takes nothing, beside one that does.
func TestASlowClientIsLetGo(t *testing.T) {
	t.Parallel()
	c := graphql.DefaultConfig()
	sub := subscriptions("*")
	sub.Buffer = 1 << 20
	c.Subscriptions = &sub
	l := lively(t, c, records)
	slow, quick := l.socket(t, ""), l.socket(t, "")
	const query = `subscription { artistChanged { artist { name } } }`
	subscribed(t, l, slow, "s", query)
	subscribed(t, l, quick, "q", query)
	stalled := l.stream(t, "", query, "")
	const changes = 150 // of 200 KB each: more than sockets of the system hold
	large := func(conn *websocket.Conn) bool {
		for {
			text, err := listen(t, conn)
			if err != nil || len(text) > 100_000 {
				return err == nil
			}
		}
	}
	for i := range changes {
		exec(t, l.owner, fmt.Sprintf(`update artist set name = repeat('x', 200000) || %d where id = 1`, i))
		if !large(quick) {
			t.Fatalf("the quick one heard %d", i)
		}
	}
	n := 0
	for large(slow) {
		n++
	}
	if n >= changes {
		t.Errorf("the slow one heard all")
	}
	for n = 0; stalled.next() != "cut"; n++ {
	}
	if n >= changes {
		t.Errorf("the stalled one heard all")
	}
}

// TestResumingOverARestart has a client miss what there was while no server ran.
func TestResumingOverARestart(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), records)
	const query = `subscription { c: artistChanged { id op artist { name } } }`
	s := l.stream(t, "", query, "")
	never := l.stream(t, "", query, "") // that was told of nothing
	exec(t, l.owner, `insert into artist values (3, 'C')`)
	s.expect(`{"id":"1","op":"INSERT","artist":{"name":"C"}}`)
	from, before := s.id, never.id
	late, err := l.owner.Begin(t.Context()) // it has an earlier number than what comes next
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Exec(t.Context(), `insert into artist values (4, 'D')`); err != nil {
		t.Fatal(err)
	}
	exec(t, l.owner, `insert into artist values (5, 'E')`)
	s.expect(`{"id":"3","op":"INSERT","artist":{"name":"E"}}`)
	middle := s.id
	l = l.restart(t)
	exec(t, l.owner, `update artist set name = 'EE' where id = 5; delete from artist where id = 3`)
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time others are there already
		s = l.stream(t, "", query, middle)
		s.expect(`{"id":"2","op":"INSERT","artist":{"name":"D"}}`, `{"id":"4","op":"UPDATE","artist":{"name":"EE"}}`, `{"id":"5","op":"DELETE","artist":null}`)
	}
	l.stream(t, "", query, from).expect(`{"id":"2","op":"INSERT","artist":{"name":"D"}}`, `{"id":"3","op":"INSERT","artist":{"name":"EE"}}`)
	l.stream(t, "", query, before).expect(`{"id":"2","op":"INSERT","artist":{"name":"D"}}`)
	exec(t, l.owner, `insert into artist values (6, 'F')`)
	s.expect(`{"id":"6","op":"INSERT","artist":{"name":"F"}}`)
	stamp, position, _ := strings.Cut(from, ".")
	_, signature, _ := strings.Cut(position, ".")
	const refused = "no position in the events of this database"
	for token, want := range map[string]string{
		"x":                          "BAD_USER_INPUT",
		stamp + ".x":                 "BAD_USER_INPUT",
		stamp + ".9:8:":              "BAD_USER_INPUT",
		from[:len(from)-1]:           refused,
		"10000." + position:          refused,
		stamp + ".1:99999999:":       refused,
		stamp + ".3:3:":              refused,
		stamp + ".3:3:." + signature: refused,
	} {
		s := l.stream(t, "", query, token)
		if got := s.next(); !strings.Contains(got, want) || s.next() != "complete" {
			t.Errorf("%s: %s", token, got)
		}
	}
}

// TestEventsOfQueries has other operations by server-sent events, and who may ask for them.
func TestEventsOfQueries(t *testing.T) {
	t.Parallel()
	l := lively(t, graphql.DefaultConfig(), records)
	s := l.stream(t, "", `{ artists(limit: 1) { name } }`, "")
	if got := s.next(); got != `{"data":{"artists":[{"name":"A"}]}}` || s.next() != "complete" {
		t.Errorf("it was told %s", got)
	}
	for _, c := range []struct {
		accept, site, method string
		status               int
	}{
		{"text/event-stream", "same-origin", http.MethodGet, 200},
		{"text/event-stream", "cross-site", http.MethodGet, 400},
		{"text/event-stream", "", http.MethodGet, 400},
		{"application/json", "same-origin", http.MethodGet, 400},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, c.method, l.url+"/graphql?query=subscription%7BartistChanged%7Bop%7D%7D", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", c.accept)
		r.Header.Set("Sec-Fetch-Site", c.site)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.status {
			t.Errorf("%+v: %d", c, response.StatusCode)
		}
	}
	body, err := json.Marshal(map[string]string{"query": "subscription { artistChanged { op } }"})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(l.url+"/graphql", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct{ Errors []struct{ Message string } }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != 400 || !strings.Contains(answer.Errors[0].Message, "text/event-stream") {
		t.Errorf("%d %+v %v", response.StatusCode, answer, err)
	}
}
